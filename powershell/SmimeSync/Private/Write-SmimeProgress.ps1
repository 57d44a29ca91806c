# How far a verb has come, as PowerShell's progress.
function Write-SmimeProgress {
    param(
        [Parameter(Mandatory = $true)] [string] $Activity,
        [Parameter(Mandatory = $true)] [SmimeSync.Progress] $Current
    )

    $phase = $Script:Text["Phase$($Current.Phase)"]
    if ($Current.Total -gt 0) {
        $percent = [math]::Min(100, [math]::Floor(100 * $Current.Done / $Current.Total))
        Write-Progress -Activity $Activity -Status ($Script:Text.ProgressOf -f $phase, $Current.Done, $Current.Total) -PercentComplete $percent
    }
    else {
        Write-Progress -Activity $Activity -Status ($Script:Text.ProgressCount -f $phase, $Current.Done)
    }
}
