function Disconnect-SmimeSync {
    <#
    .SYNOPSIS
    Closes the session.

    .DESCRIPTION
    Cancels what runs, waits for a write in flight and closes. Without a session it does nothing.

    .EXAMPLE
    Disconnect-SmimeSync

    .OUTPUTS
    Nothing.
    #>
    [CmdletBinding()]
    param()

    if ($Script:Connection) {
        $Script:Connection.Session.Dispose()
        $Script:Connection = $null
    }
}
