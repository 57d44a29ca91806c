# An error of the library as an ErrorRecord. It is made here and thrown by the public function, so that the id ends in
# the name a user typed and the message points at the user's line.
function ConvertTo-SmimeErrorRecord {
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory = $true)] [SmimeSync.NativeError] $NativeError,
        [object] $TargetObject
    )

    $categories = @{
        not_found            = 'ObjectNotFound'
        ambiguous            = 'InvalidArgument'
        invalid              = 'InvalidArgument'
        auth                 = 'AuthenticationError'
        denied               = 'PermissionDenied'
        network              = 'ConnectionError'
        timeout              = 'OperationTimeout'
        throttled            = 'LimitsExceeded'
        certificate          = 'SecurityError'
        conflict             = 'ResourceExists'
        locked               = 'ResourceBusy'
        guard                = 'LimitsExceeded'
        directory_incomplete = 'ReadError'
        store                = 'ResourceUnavailable'
        cancelled            = 'OperationStopped'
        unsupported          = 'NotImplemented'
        config               = 'InvalidData'
    }
    $category = 'NotSpecified'
    if ($NativeError.Category -and $categories.ContainsKey($NativeError.Category)) {
        $category = $categories[$NativeError.Category]
    }

    $message = $NativeError.Message
    if (-not $message) { $message = $Script:Text.ErrorUnknown -f $NativeError.Code }
    if ($NativeError.Target) { $message = $Script:Text.ErrorWithTarget -f $NativeError.Target, $message }
    if ($null -eq $TargetObject) { $TargetObject = $NativeError.Target }

    $exception = New-Object -TypeName SmimeSync.NativeException -ArgumentList $NativeError, $message
    $id = Get-SmimeErrorId -Code $NativeError.Code -Area $NativeError.Area -Category $NativeError.Category
    $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, $id, $category, $TargetObject

    $remedy = $null
    if ($NativeError.Category -eq 'guard') { $remedy = $Script:Text.RemedyGuard -f $NativeError.Target }
    elseif ($NativeError.Code -eq [int][SmimeSync.Code]::FileExists) { $remedy = $Script:Text.RemedyFileExists }
    elseif ($NativeError.RetryAfter) { $remedy = $Script:Text.RemedyRetryAfter -f [math]::Ceiling($NativeError.RetryAfter.TotalSeconds) }
    elseif ($NativeError.Location) { $remedy = $Script:Text.RemedyInternal -f $NativeError.Location }
    if ($remedy) {
        $record.ErrorDetails = New-Object -TypeName System.Management.Automation.ErrorDetails -ArgumentList $message
        $record.ErrorDetails.RecommendedAction = $remedy
    }
    $record
}
