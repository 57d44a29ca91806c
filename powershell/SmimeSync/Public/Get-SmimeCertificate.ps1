function Get-SmimeCertificate {
    <#
    .SYNOPSIS
    Reads people's certificates from the directory.

    .DESCRIPTION
    Emits an object for each certificate in userCertificate and userSMIMECertificate, with the person it belongs to.
    Nothing is judged; Test-SmimeCertificate does that. The certificate itself is given by its method GetDer().

    Stream the output: an assignment collects everything first, and foreach (...) { break } does not end the reading.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property.
    Everybody if absent. Null or empty is an error, never everybody.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER ResultSize
    How many people are read at most: a number, or Unlimited. 1000 if absent; reaching it is a warning.

    .PARAMETER PolicyType
    Initial reads everybody. Delta reads who changed since the last run that wrote, and people who are gone, with Deleted
    set. Initial if absent.

    .PARAMETER LdifPath
    A file that the entries read go into as LDIF (RFC 2849), to be read like any other export. It is in its place only when
    all of them were read. Neither -ResultSize nor -PolicyType Delta goes with it.

    .PARAMETER Overwrite
    Replaces the file of -LdifPath if it is there already.

    .EXAMPLE
    Get-SmimeCertificate anna@contoso.com

    .EXAMPLE
    Get-SmimeCertificate -LdifPath people.ldif | Out-Null

    .EXAMPLE
    Get-SmimeCertificate -ResultSize Unlimited | Where-Object { $_.NotAfter -and $_.NotAfter -lt (Get-Date).AddDays(30) } | Export-Csv expiring.csv

    .EXAMPLE
    Get-SmimeCertificate -LdapFilter '(department=IT)' | Test-SmimeCertificate

    .INPUTS
    Text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or DistinguishedName.

    .OUTPUTS
    SmimeSync.PersonCertificate
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.PersonCertificate')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [string] $ResultSize = '1000',
        [ValidateSet('Delta', 'Initial')] [string] $PolicyType = 'Initial',
        [ValidateNotNullOrEmpty()] [string] $LdifPath,
        [switch] $Overwrite
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
        if ($LdifPath -and -not $PSBoundParameters.ContainsKey('ResultSize')) { $ResultSize = 'Unlimited' }
        $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize $ResultSize -Caller $PSCmdlet
        $options.policy_type = $PolicyType.ToLowerInvariant()
        if ($LdifPath) { $options.ldif_path = Resolve-SmimePath -Path $LdifPath -Caller $PSCmdlet }
        if ($Overwrite) { $options.overwrite = $true }
        Receive-SmimeRow -Session $session -Verb 'fetch' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityFetch -FailedRows List
    }
}
