# An error of the module itself as an ErrorRecord with the id SmimeSync.Host.<Reason>.
function ConvertTo-SmimeHostError {
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory = $true)] [string] $Reason,
        [Parameter(Mandatory = $true)] [string] $Message,
        [Parameter(Mandatory = $true)] [System.Management.Automation.ErrorCategory] $Category,
        [object] $TargetObject,
        [string] $Remedy
    )

    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, "SmimeSync.Host.$Reason", $Category, $TargetObject
    if ($Remedy) {
        $record.ErrorDetails = New-Object -TypeName System.Management.Automation.ErrorDetails -ArgumentList $Message
        $record.ErrorDetails.RecommendedAction = $Remedy
    }
    $record
}
