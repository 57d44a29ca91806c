# Which native library fits this process: the folder's name (.NET's runtime identifier) and the file's.
function Get-SmimePlatform {
    $runtime = [System.Runtime.InteropServices.RuntimeInformation]
    $architecture = $runtime::ProcessArchitecture.ToString().ToLowerInvariant()
    $system = 'linux'
    $file = 'libsmimesync.so'
    if ($runtime::IsOSPlatform([System.Runtime.InteropServices.OSPlatform]::Windows)) { $system = 'win'; $file = 'smimesync.dll' }
    elseif ($runtime::IsOSPlatform([System.Runtime.InteropServices.OSPlatform]::OSX)) { $system = 'osx'; $file = 'libsmimesync.dylib' }
    elseif (Test-Path -Path '/lib/ld-musl-*') { $system = 'linux-musl' }
    $name = "$system-$architecture"
    $rid = $null
    if ($architecture -eq 'x64' -or $architecture -eq 'arm64') { $rid = $name }
    [pscustomobject]@{ Name = $name; Rid = $rid; File = $file }
}
