function Test-SmimeSyncConnection {
    <#
    .SYNOPSIS
    Tries everything a run needs: the directory, Exchange Online, what is trusted, the store.

    .DESCRIPTION
    Emits a row for each step with its result pass, fail or skipped, how long it took, and what mends it. A step that
    fails is the answer, not an error.

    .PARAMETER Target
    What to try; everything if absent.

    .EXAMPLE
    Test-SmimeSyncConnection

    .EXAMPLE
    Test-SmimeSyncConnection -Target Exchange | Where-Object Result -eq fail | Format-List

    .OUTPUTS
    SmimeSync.ConnectionTest
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.ConnectionTest')]
    param(
        [Parameter(Position = 0)]
        [ValidateSet('Directory', 'Exchange', 'Trust', 'Store')]
        [string[]] $Target
    )

    $session = Get-SmimeSession -Caller $PSCmdlet
    $options = [ordered]@{}
    if ($Target) { $options.targets = @($Target | ForEach-Object -Process { $_.ToLowerInvariant() }) }
    Receive-SmimeRow -Session $session -Verb 'check' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityTest -FailedRows Emit
}
