# File names as a user writes them, absolute: the library knows nothing of PowerShell's location.
function Resolve-SmimePath {
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [string[]] $Path,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    foreach ($name in $Path) {
        $Caller.SessionState.Path.GetUnresolvedProviderPathFromPSPath($name)
    }
}
