function Export-SmimeIssuingCertificate {
    <#
    .SYNOPSIS
    Lists the authorities that people's certificates need, and writes them to a file.

    .DESCRIPTION
    Exchange Online trusts the authorities of one collection alone (SMIMECertificateIssuingCA of Get-SmimeConfig). This
    reads people's certificates, finds the roots and intermediates above those that would be published, and holds them
    against what the tenant has. With -Path the collection as it should be is written to a file, a serialized certificate
    store (SST), as Set-SmimeConfig takes it: what the tenant has stays, what is lacking is added, what has expired is left
    out. Nothing is changed in the tenant. Without a tenant, or where it may not be read, the file holds what people need.

    .PARAMETER Path
    The file to write; one that is there is replaced. Without it the authorities are listed alone.

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
    Export-SmimeIssuingCertificate | Where-Object Action -eq add

    .EXAMPLE
    Export-SmimeIssuingCertificate -Path tenant.sst

    .INPUTS
    Text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or DistinguishedName.

    .OUTPUTS
    SmimeSync.IssuingCertificate
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.IssuingCertificate')]
    param(
        [Parameter(Position = 0)] [ValidateNotNullOrEmpty()] [string] $Path,
        [Parameter(ValueFromPipeline = $true)]
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
        $isNamed = $MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity')
        if ($isNamed -and $people.Count -eq 0) { return }
        $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize $ResultSize -Caller $PSCmdlet
        if ($Path) { $options.sst_path = Resolve-SmimePath -Path $Path -Caller $PSCmdlet }
        Receive-SmimeRow -Session $session -Verb 'issuers' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityIssuers -FailedRows List
    }
}
