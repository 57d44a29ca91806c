function Get-SmimeWeakKey {
    <#
    .SYNOPSIS
    Finds keys that should not exist.

    .DESCRIPTION
    Looks at the public key of every certificate and emits an object for each weakness, with what mends it: keys of
    faulty chips (ROCA), RSA keys with close primes, small factors, bad exponents or too few bits, points off their curve,
    and what keys must not share: the same key or modulus with another person, a prime with any other key.

    What is shared can only be found among the keys that are looked at, so look at everybody; 100,000 RSA keys take some
    minutes. A renewal that keeps a person's key is not called shared.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; objects of Get-SmimeCertificate; files;
    certificates. Everybody in the directory if absent. Null or empty is an error, never everybody.

    .PARAMETER Path
    Files or folders with certificates: DER, PEM, PKCS #7 or SST. They belong to whom their subjects name.

    .PARAMETER Certificate
    Certificates of .NET.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER ResultSize
    How many people are read at most: a number, or Unlimited, which it is if absent.

    .EXAMPLE
    Get-SmimeWeakKey | Where-Object Severity -eq block | Export-Csv weak.csv

    .EXAMPLE
    Get-SmimeWeakKey | Where-Object SharedWith | Format-List

    .EXAMPLE
    Get-ChildItem *.cer | Get-SmimeWeakKey

    .INPUTS
    Text, System.IO.FileInfo, X509Certificate2, or objects that name a person.

    .OUTPUTS
    SmimeSync.WeakKey
    #>
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('SmimeSync.WeakKey')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Identity')]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [Parameter(Mandatory = $true, ParameterSetName = 'Path')] [ValidateNotNullOrEmpty()] [string[]] $Path,
        [Parameter(Mandatory = $true, ParameterSetName = 'Certificate')] [ValidateNotNullOrEmpty()]
        [System.Security.Cryptography.X509Certificates.X509Certificate2[]] $Certificate,
        [Parameter(ParameterSetName = 'Identity')] [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [Parameter(ParameterSetName = 'Identity')] [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [Parameter(ParameterSetName = 'Identity')] [string] $ResultSize = 'Unlimited'
    )

    begin {
        $people = New-Object -TypeName System.Collections.Generic.List[string]
        $known = New-Object -TypeName System.Collections.Generic.HashSet[string]
        $files = New-Object -TypeName System.Collections.Generic.List[string]
        $certificates = New-Object -TypeName System.Collections.Generic.List[object]
        $session = Get-SmimeSession -Caller $PSCmdlet
    }
    process {
        if ($Path) { $files.AddRange([string[]]@(Resolve-SmimePath -Path $Path -Caller $PSCmdlet)) }
        foreach ($item in $Certificate) { $certificates.Add(@{ der = [System.Convert]::ToBase64String($item.RawData) }) }
        if ($PSBoundParameters.ContainsKey('Identity')) {
            if ($null -eq $Identity -or $Identity.Count -eq 0) { $null = ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet }
            foreach ($item in $Identity) {
                if ($item -is [System.Security.Cryptography.X509Certificates.X509Certificate2]) {
                    $certificates.Add(@{ der = [System.Convert]::ToBase64String($item.RawData) })
                }
                elseif ($item -is [System.IO.FileSystemInfo]) { $files.Add($item.FullName) }
                else {
                    foreach ($person in (ConvertTo-SmimeIdentity -InputObject (, $item) -For Directory -Caller $PSCmdlet)) {
                        if ($known.Add($person)) { $people.Add($person) }
                    }
                }
            }
        }
    }
    end {
        $read = @{ Session = $session; Verb = 'keys'; Caller = $PSCmdlet; Activity = $Script:Text.ActivityWeakKey }
        if ($certificates.Count -gt 0 -or $files.Count -gt 0) {
            $options = [ordered]@{}
            if ($certificates.Count -gt 0) { $options.certificates = $certificates.ToArray() }
            if ($files.Count -gt 0) { $options.files = $files.ToArray() }
            Receive-SmimeRow @read -Option $options -FailedRows List
        }
        # A pipeline or a list that named nobody is not everybody.
        $isNamed = $MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity') -or $PSCmdlet.ParameterSetName -ne 'Identity'
        if ($people.Count -gt 0 -or -not $isNamed) {
            $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize $ResultSize -Caller $PSCmdlet
            Receive-SmimeRow @read -Option $options -FailedRows List
        }
    }
}
