# The text that names who an object is about, for the directory or for Exchange Online. Null and empty never mean
# everybody: they end the caller. An object that names nobody is an error of its own.
function ConvertTo-SmimeIdentity {
    [OutputType([string])]
    param(
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $InputObject,
        [Parameter(Mandatory = $true)] [ValidateSet('Directory', 'Exchange')] [string] $For,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    $nothing = { $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'IdentityNullOrEmpty' -Category InvalidArgument -Message $Script:Text.IdentityNullOrEmpty)) }
    # A recipient's Identity is its Guid in Exchange Online, which no directory knows, and the other way round.
    $properties = @('Identity', 'Person', 'UserPrincipalName', 'PrimarySmtpAddress', 'Mail', 'DistinguishedName', 'Dn')
    if ($For -eq 'Exchange') { $properties = @('Recipient', 'ExternalDirectoryObjectId', 'PrimarySmtpAddress', 'UserPrincipalName', 'Mail', 'Identity') }

    if ($null -eq $InputObject -or $InputObject.Count -eq 0) { & $nothing }
    foreach ($item in $InputObject) {
        if ($null -eq $item) { & $nothing }
        $text = $null
        $names = $properties
        if ($item -is [string] -or $item -is [guid]) { $text = [string]$item; $names = @() }
        elseif ($For -eq 'Directory' -and $item -is [SmimeSync.Recipient]) { $names = @('UserPrincipalName', 'PrimarySmtpAddress') }
        elseif ($For -eq 'Exchange' -and $item -is [SmimeSync.Recipient]) { $names = @('Identity') }
        elseif ($For -eq 'Directory' -and $item -is [SmimeSync.AttributeChange]) { $names = @('Person', 'PrimarySmtpAddress') }

        $known = $names.Count -eq 0
        foreach ($name in $names) {
            $property = $item.PSObject.Properties[$name]
            if ($property) {
                $known = $true
                if ($property.Value) { $text = [string]$property.Value; break }
            }
        }
        if (-not $known) {
            $message = $Script:Text.IdentityUnknown -f $item.GetType().FullName, ($properties -join ', ')
            $Caller.WriteError((ConvertTo-SmimeHostError -Reason 'IdentityUnknown' -Category InvalidArgument -TargetObject $item -Message $message))
            continue
        }
        if ([string]::IsNullOrEmpty($text) -or $text.Trim().Length -eq 0) { & $nothing }
        $text
    }
}
