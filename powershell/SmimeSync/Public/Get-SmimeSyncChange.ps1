function Get-SmimeSyncChange {
    <#
    .SYNOPSIS
    Shows the changes of runs on record.

    .DESCRIPTION
    Emits what each run did to each attribute of each recipient. BeforeValues and AfterValues hold the values, whose
    bytes are given by their method GetBytes().

    .PARAMETER Run
    Runs, by their id; all runs if absent.

    .PARAMETER Identity
    Only changes of these people or recipients.

    .EXAMPLE
    Get-SmimeSyncRun -Last 1 | Get-SmimeSyncChange

    .EXAMPLE
    Get-SmimeSyncChange -Identity anna@contoso.com | Format-Table Run, Action, Result, Reason

    .INPUTS
    Objects with the property Run.

    .OUTPUTS
    SmimeSync.RecordedChange
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.RecordedChange')]
    param(
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [ValidateNotNullOrEmpty()] [string[]] $Run,
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity
    )

    process {
        $session = Get-SmimeSession -Caller $PSCmdlet
        $options = [ordered]@{}
        if ($PSBoundParameters.ContainsKey('Identity')) {
            $options.identities = @(ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet)
            if ($options.identities.Count -eq 0) { return }
        }
        $ids = @($null)
        if ($Run) { $ids = $Run }
        foreach ($id in $ids) {
            if ($id) { $options.run = $id }
            Receive-SmimeRow -Session $session -Verb 'changes' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityRead -FailedRows Emit
        }
    }
}
