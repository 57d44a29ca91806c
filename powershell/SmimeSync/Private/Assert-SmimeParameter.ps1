# Ends Connect-SmimeSync where parameters contradict each other: one of them would be left out of account silently.
function Assert-SmimeParameter {
    param(
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Bound,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    # A switch that is given as $false says nothing.
    $given = { param($names) @($names | Where-Object -FilterScript { $Bound.ContainsKey($_) -and $Bound[$_] -ne $false }) }
    $conflict = @(& $given @('ClientSecret', 'CertificateFilePath', 'CertificateThumbprint', 'ManagedIdentity', 'AccessToken'))
    if ($conflict.Count -lt 2 -and $Bound.ContainsKey('LdifPath')) {
        $ofServers = @('DirectoryUrl', 'Credential', 'DirectoryCertificateFilePath', 'DirectoryCertificatePassword', 'DirectoryCaFile', 'StartTls')
        $conflict = @('LdifPath') + @(& $given $ofServers)
    }
    if ($conflict.Count -lt 2) { return }
    $message = $Script:Text.ParameterConflict -f $conflict[0], $conflict[1]
    $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'ParameterConflict' -Category InvalidArgument -TargetObject $conflict[1] -Message $message))
}
