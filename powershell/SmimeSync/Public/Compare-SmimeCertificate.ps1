function Compare-SmimeCertificate {
    <#
    .SYNOPSIS
    Shows what Sync-SmimeCertificate would do.

    .DESCRIPTION
    Reads the directory and Exchange Online, judges the certificates and plans a run without writing anything. Emits
    an object for each attribute of each recipient that would change or is skipped with a reason; with -IncludeEqual
    for the others, too. The objects can be piped to Sync-SmimeCertificate, which then makes just these changes.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property.
    Everybody if absent. Null or empty is an error, never everybody.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER ResultSize
    How many people are read at most: a number, or Unlimited, which it is if absent.

    .PARAMETER PolicyType
    Initial looks at everybody, Delta at what changed or fell due since the last run that wrote. If absent, Delta where
    that is possible and nobody is selected; a selection is looked at in any case.

    .PARAMETER IncludeEqual
    Emits attributes that are as they should be, too (Action none).

    .EXAMPLE
    Compare-SmimeCertificate

    .EXAMPLE
    Compare-SmimeCertificate | Where-Object Removed | Format-List PrimarySmtpAddress, Removed, Reason

    .EXAMPLE
    Compare-SmimeCertificate -Identity anna@contoso.com | Sync-SmimeCertificate

    .INPUTS
    Text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or DistinguishedName.

    .OUTPUTS
    SmimeSync.PlannedChange
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.PlannedChange')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [string] $ResultSize = 'Unlimited',
        [ValidateSet('Delta', 'Initial')] [string] $PolicyType,
        [switch] $IncludeEqual
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
        if ($people.Count -eq 0 -and ($MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity'))) { return }
        $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize $ResultSize -Caller $PSCmdlet
        if ($PolicyType) { $options.policy_type = $PolicyType.ToLowerInvariant() }
        Receive-SmimeRow -Session $session -Verb 'compare' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityCompare -SkipUnchanged:(-not $IncludeEqual)
    }
}
