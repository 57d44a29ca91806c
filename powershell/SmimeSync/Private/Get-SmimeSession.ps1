# The open session, or a terminating error of the caller.
function Get-SmimeSession {
    [OutputType('SmimeSync.Session')]
    param([Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller)

    if (-not $Script:Connection) {
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'NotConnected' -Category ConnectionError -Message $Script:Text.NotConnected -Remedy $Script:Text.NotConnectedRemedy))
    }
    $Script:Connection.Session
}
