function Get-SmimeCoverage {
    <#
    .SYNOPSIS
    Shows who can be sent encrypted mail from Exchange Online today, and if not, why.

    .DESCRIPTION
    Emits an object for each person: the certificate that senders take from Exchange Online, or that they would take if it
    were published, what it is fit for, and in BlockedBy and Remedy what stands in the way. BlockedBy is empty where nothing
    does. Reads the directory and Exchange Online; nothing is written, and no run goes on record.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property.
    Everybody if absent. Null or empty is an error, never everybody.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER ResultSize
    How many people are read at most: a number, or Unlimited, which it is if absent.

    .EXAMPLE
    Get-SmimeCoverage | Group-Object BlockedBy -NoElement

    .EXAMPLE
    Get-SmimeCoverage -LdapFilter '(department=IT)' | Where-Object BlockedBy | Export-Csv uncovered.csv

    .EXAMPLE
    Get-SmimeCoverage | Where-Object BlockedBy -eq not_published | Sync-SmimeCertificate

    .INPUTS
    Text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or DistinguishedName.

    .OUTPUTS
    SmimeSync.Coverage
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.Coverage')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [string] $ResultSize = 'Unlimited'
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
        Receive-SmimeRow -Session $session -Verb 'coverage' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityCoverage -FailedRows List
    }
}
