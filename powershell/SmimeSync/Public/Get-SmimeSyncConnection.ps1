function Get-SmimeSyncConnection {
    <#
    .SYNOPSIS
    Shows the open session.

    .DESCRIPTION
    Emits what Connect-SmimeSync was given, without secrets; nothing where there is no session.

    .EXAMPLE
    Get-SmimeSyncConnection | Format-List *

    .OUTPUTS
    SmimeSync.Connection
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.Connection')]
    param()

    if ($Script:Connection) { $Script:Connection.Info }
}
