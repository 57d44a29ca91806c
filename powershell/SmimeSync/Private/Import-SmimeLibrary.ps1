# Loads the native library once per process. From a release it lies in native/<rid>, in a checkout in target/.
function Import-SmimeLibrary {
    param([Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller)

    if ([SmimeSync.Library]::Path -and -not $Script:NativeLibraryPath) { return }
    $platform = Get-SmimePlatform
    if (-not $platform.Rid) {
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'LibraryUnsupported' -Category NotImplemented -Message ($Script:Text.LibraryUnsupported -f $platform.Name)))
    }
    $candidates = @(
        (Join-Path $PSScriptRoot "../native/$($platform.Rid)/$($platform.File)")
        (Join-Path $PSScriptRoot "../../../target/release/$($platform.File)")
        (Join-Path $PSScriptRoot "../../../target/debug/$($platform.File)")
    )
    if ($Script:NativeLibraryPath) { $candidates = @($Script:NativeLibraryPath) }
    $candidates = @($candidates | ForEach-Object -Process { [System.IO.Path]::GetFullPath($_) })
    $path = $candidates | Where-Object -FilterScript { [System.IO.File]::Exists($_) } | Select-Object -First 1
    if (-not $path) {
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'LibraryNotFound' -Category ObjectNotFound -TargetObject $candidates[0] -Message ($Script:Text.LibraryNotFound -f $platform.Rid, ($candidates -join ', '))))
    }
    $failure = [SmimeSync.Library]::Load($path)
    if ($failure -ne 'None') {
        $abi = [SmimeSync.Library]::AbiVersion
        $message = $Script:Text["Library$failure"] -f $path, $platform.Rid, ('{0}.{1}' -f ($abi -shr 16), ($abi -band 0xFFFF)), [SmimeSync.Library]::Detail
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason "Library$failure" -Category ResourceUnavailable -TargetObject $path -Message $message))
    }
}
