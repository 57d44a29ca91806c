# An event of the library on the stream it belongs to.
function Write-SmimeEvent {
    param(
        [Parameter(Mandatory = $true)] [SmimeSync.Event] $Happened,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Option
    )

    if ($Happened.Code -eq [int][SmimeSync.Code]::LimitReached) {
        Write-Warning -Message ($Script:Text.ResultSizeReached -f $Option['limit'])
    }
    elseif ($Happened.Level -le 2) { Write-Warning -Message $Happened.Text }
    elseif ($Happened.Level -eq 3) { Write-Verbose -Message $Happened.Text }
    else { Write-Debug -Message $Happened.Text }
}
