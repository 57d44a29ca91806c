# A session of a configuration in UTF-8, in the culture of this PowerShell unless the configuration names one.
function Open-SmimeSession {
    [OutputType('SmimeSync.Session')]
    param(
        [Parameter(Mandatory = $true)] [byte[]] $Configuration,
        [Parameter(Mandatory = $true)] [string] $BaseDirectory,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    $culture = [System.Globalization.CultureInfo]::CurrentUICulture.Name
    if (-not $culture) { $culture = 'en-US' }
    $session = [SmimeSync.Session]::Open([SmimeSync.Configuration]::Complete($Configuration, $BaseDirectory, $culture))
    if ($session.Error) { $Caller.ThrowTerminatingError((ConvertTo-SmimeErrorRecord -NativeError $session.Error)) }
    $session
}
