# A -ResultSize as the library's limit; nothing for Unlimited.
function ConvertTo-SmimeLimit {
    param(
        [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $ResultSize,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    if ($ResultSize -eq 'Unlimited') { return }
    $limit = 0
    if (-not [int]::TryParse($ResultSize, [ref]$limit) -or $limit -lt 1) {
        $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'ResultSizeInvalid' -Category InvalidArgument -TargetObject $ResultSize -Message $Script:Text.ResultSizeInvalid))
    }
    $limit
}
