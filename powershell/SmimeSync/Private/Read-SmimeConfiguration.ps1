# A configuration file: its bytes, its folder, and what Get-SmimeSyncConnection shows of it.
function Read-SmimeConfiguration {
    param(
        [Parameter(Mandatory = $true)] [string] $Path,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    if (-not [System.IO.File]::Exists($Path)) {
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'ConfigurationNotFound' -Category ObjectNotFound -TargetObject $Path -Message ($Script:Text.ConfigurationNotFound -f $Path)))
    }
    try {
        $bytes = [System.IO.File]::ReadAllBytes($Path)
    }
    catch {
        $words = $_.Exception.GetBaseException().Message
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'ConfigurationUnreadable' -Category OpenError -TargetObject $Path -Message ($Script:Text.ConfigurationUnreadable -f $Path, $words)))
    }
    # What is wrong with the text the library says better, with the place.
    $content = $null
    try { $content = ConvertFrom-Json -InputObject ([System.Text.Encoding]::UTF8.GetString($bytes)) } catch { Write-Debug -Message $_.Exception.Message }
    @{
        Bytes         = $bytes
        BaseDirectory = [System.IO.Path]::GetDirectoryName($Path)
        Info          = ConvertTo-SmimeConnection -Content $content -Configuration $Path
    }
}
