function Get-SmimeSyncRun {
    <#
    .SYNOPSIS
    Shows the runs on record.

    .DESCRIPTION
    Emits what each run was, when it was, how it ended and how much it did. Get-SmimeSyncChange shows its changes.

    .PARAMETER Run
    Runs, by their id.

    .PARAMETER Last
    Only so many, the latest ones.

    .PARAMETER Since
    Only runs that started at this time or later.

    .PARAMETER Until
    Only runs that started before this time.

    .EXAMPLE
    Get-SmimeSyncRun -Last 5

    .EXAMPLE
    Get-SmimeSyncRun -Last 1 | Get-SmimeSyncChange

    .INPUTS
    Objects with the property Run.

    .OUTPUTS
    SmimeSync.SyncRun
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.SyncRun')]
    param(
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [ValidateNotNullOrEmpty()] [string[]] $Run,
        [ValidateRange(1, 1000000)] [int] $Last,
        [datetime] $Since,
        [datetime] $Until
    )

    process {
        $session = Get-SmimeSession -Caller $PSCmdlet
        $options = [ordered]@{}
        if ($Last) { $options.last = $Last }
        if ($PSBoundParameters.ContainsKey('Since')) { $options.since = ConvertTo-SmimeTime -Time $Since }
        if ($PSBoundParameters.ContainsKey('Until')) { $options.until = ConvertTo-SmimeTime -Time $Until }
        $ids = @($null)
        if ($Run) { $ids = $Run }
        foreach ($id in $ids) {
            if ($id) { $options.run = $id }
            Receive-SmimeRow -Session $session -Verb 'runs' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityRead -FailedRows Emit
        }
    }
}
