# Runs a verb and emits its rows as they come. Ctrl+C, Select-Object -First and Stop end it through finally, where
# nothing may be written to the pipeline: that would throw and skip the rest.
function Receive-SmimeRow {
    param(
        [Parameter(Mandatory = $true)] [SmimeSync.Session] $Session,
        [Parameter(Mandatory = $true)] [string] $Verb,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Option,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory = $true)] [string] $Activity,
        [SmimeSync.FailedRows] $FailedRows = [SmimeSync.FailedRows]::EmitAndList,
        [switch] $SkipUnchanged
    )

    $cursor = $Session.Start($Verb, (ConvertTo-Json -InputObject $Option -Compress -Depth 8))
    $complete = $false
    $shown = $false
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    try {
        $cursor.FailedRows = $FailedRows
        $cursor.SkipUnchanged = $SkipUnchanged
        do {
            $cursor.Next(256, 100)
            foreach ($happened in $cursor.TakeEvents()) { Write-SmimeEvent -Happened $happened -Option $Option }
            foreach ($row in $cursor.Failures) {
                $failure = [SmimeSync.NativeError]::OfRow($row)
                $Caller.WriteError((ConvertTo-SmimeErrorRecord -NativeError $failure -TargetObject $row))
            }
            if ($clock.ElapsedMilliseconds -ge 250 -and $cursor.State -ne 'Done') {
                $shown = $true
                Write-SmimeProgress -Activity $Activity -Current $cursor.GetProgress()
                $clock.Reset()
                $clock.Start()
            }
        } until ($cursor.State -eq 'Done')
        $complete = $true
        if ($cursor.Error) { $Caller.ThrowTerminatingError((ConvertTo-SmimeErrorRecord -NativeError $cursor.Error)) }
    }
    finally {
        if (-not $complete) { $cursor.Cancel() }
        $cursor.Dispose()
        if ($shown) { Write-Progress -Activity $Activity -Completed }
    }
}
