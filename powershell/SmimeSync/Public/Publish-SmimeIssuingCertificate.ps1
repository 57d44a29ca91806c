function Publish-SmimeIssuingCertificate {
    <#
    .SYNOPSIS
    Uploads the authorities that people's certificates need to the tenant.

    .DESCRIPTION
    Exchange Online trusts the authorities of one collection alone (SMIMECertificateIssuingCA of Set-SmimeConfig). This
    adds the roots and intermediates that published certificates need and the tenant lacks. What the tenant has besides
    stays byte for byte; only what has expired is left out, because Exchange Online refuses a collection that holds such
    an authority. An upload is a run: the collection before and after is on record (Get-SmimeSyncChange).

    It asks for confirmation once it is known what would be uploaded. -WhatIf uploads nothing; the objects it emits
    have the Result planned. With -Confirm:$false it does not look first.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property.
    Everybody if absent. Null or empty is an error, never everybody.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER Force
    Names of guards to lift once.

    .EXAMPLE
    Publish-SmimeIssuingCertificate -WhatIf

    .EXAMPLE
    Publish-SmimeIssuingCertificate -Confirm:$false

    .INPUTS
    Text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or DistinguishedName.

    .OUTPUTS
    SmimeSync.IssuingCertificate
    #>
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    [OutputType('SmimeSync.IssuingCertificate')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [ValidateSet('max_removals', 'max_removals_percent', 'max_clock_skew_ms')] [string[]] $Force
    )

    begin {
        $people = New-Object -TypeName System.Collections.Generic.List[string]
        $session = Get-SmimeSession -Caller $PSCmdlet
    }
    process {
        if ($PSBoundParameters.ContainsKey('Identity')) {
            foreach ($person in (ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet)) { $people.Add($person) }
        }
    }
    end {
        # A pipeline or a list that named nobody is not everybody.
        $isNamed = $MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity')
        if ($isNamed -and $people.Count -eq 0) { return }
        $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize 'Unlimited' -Caller $PSCmdlet
        $options.upload = $true
        if ($Force) { $options.force = @($Force) }
        $run = @{ Session = $session; Caller = $PSCmdlet; Verb = 'issuers'; Option = $options; Activity = $Script:Text.ActivityIssuers }
        $target = [string] $Script:Connection.Info.Organization
        $listed = @()
        $action = $Script:Text.IssuersAction
        if ($ConfirmPreference -ne 'None' -or $WhatIfPreference) {
            $options.staging = $true
            $listed = @(Receive-SmimeRow @run)
            $options.Remove('staging')
            $added = @($listed | Where-Object { $_.Action -eq 'add' })
            $dropped = @($listed | Where-Object { $_.Action -eq 'drop' })
            $action = $Script:Text.IssuersChange -f $added.Count, $dropped.Count
            if ($added.Count + $dropped.Count -eq 0) {
                foreach ($authority in $listed) { $authority }
                return
            }
        }
        $isAgreed = $false
        try {
            if ($PSCmdlet.ShouldProcess($target, $action)) { $isAgreed = $true }
        }
        catch {
            # Nobody can be asked here (-NonInteractive, no input).
            $message = $Script:Text.CannotPrompt -f $_.Exception.GetBaseException().Message
            $PSCmdlet.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'CannotPrompt' -Category InvalidOperation -TargetObject $target -Message $message -Remedy $Script:Text.CannotPromptRemedy))
        }
        if ($isAgreed) { Receive-SmimeRow @run }
        else { foreach ($authority in $listed) { $authority } }
    }
}
