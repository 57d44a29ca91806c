function Test-SmimeCertificate {
    <#
    .SYNOPSIS
    Judges certificates: what each is fit for, and why not.

    .DESCRIPTION
    Emits an object for each certificate with the verdicts Encrypt and Sign (fit, unfit or undetermined) and the
    findings that led there: what was observed, what was expected, and what mends it.

    Judges people's certificates in the directory, objects of Get-SmimeCertificate, files, or certificates of .NET. Files
    and certificates need no session where -TrustAnchor says what is trusted.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; objects of Get-SmimeCertificate; files;
    certificates. Everybody in the directory if absent. Null or empty is an error, never everybody.

    .PARAMETER Path
    Files or folders with certificates: DER, PEM, PKCS #7 or SST.

    .PARAMETER Certificate
    Certificates of .NET.

    .PARAMETER EmailAddress
    Addresses of the person, the primary one first, for files and certificates of .NET.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER ResultSize
    How many people are read at most: a number, or Unlimited, which it is if absent.

    .PARAMETER At
    The time to judge for; now if absent.

    .PARAMETER RevocationMode
    Offline uses the given revocation lists and OCSP answers, Online also fetches what is missing from where certificates
    say it is, Off looks at none. The configuration's if absent.

    .PARAMETER TrustAnchor
    Files with the authorities to trust, instead of the configuration's.

    .PARAMETER Intermediate
    Further files with issuing authorities.

    .PARAMETER Crl
    Further files with certificate revocation lists.

    .PARAMETER OcspResponse
    Files or folders with answers of OCSP responders, one in a file, as "openssl ocsp -respout" writes them.

    .PARAMETER SstPath
    A file with the tenant's collection of authorities, as Set-SmimeConfig takes it (SST). Findings then say what Exchange
    Online would: whether the collection holds the whole path, and whether CRLs have an address everybody can reach.

    .PARAMETER LintProfile
    The profile of the S/MIME Baseline Requirements that certificates are held against: auto for the one a certificate
    claims, or one such as mailbox_strict or organization_legacy. What policy/lints of the configuration says if absent.

    .EXAMPLE
    Test-SmimeCertificate anna@contoso.com | Select-Object -ExpandProperty Findings

    .EXAMPLE
    Get-SmimeCertificate -LdapFilter '(department=IT)' | Test-SmimeCertificate | Where-Object Encrypt -ne fit

    .EXAMPLE
    Get-ChildItem *.cer | Test-SmimeCertificate -TrustAnchor root.pem -EmailAddress anna@contoso.com

    .EXAMPLE
    Test-SmimeCertificate -Path ann.cer -TrustAnchor root.pem -OcspResponse ann.ocsp -LintProfile mailbox_strict

    .INPUTS
    Text, SmimeSync.PersonCertificate, System.IO.FileInfo, X509Certificate2, or objects that name a person.

    .OUTPUTS
    SmimeSync.Verdict
    #>
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('SmimeSync.Verdict')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Identity')]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [Parameter(Mandatory = $true, ParameterSetName = 'Path')] [ValidateNotNullOrEmpty()] [string[]] $Path,
        [Parameter(Mandatory = $true, ParameterSetName = 'Certificate')] [ValidateNotNullOrEmpty()]
        [System.Security.Cryptography.X509Certificates.X509Certificate2[]] $Certificate,
        [ValidateNotNullOrEmpty()] [string[]] $EmailAddress,
        [Parameter(ParameterSetName = 'Identity')] [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [Parameter(ParameterSetName = 'Identity')] [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [Parameter(ParameterSetName = 'Identity')] [string] $ResultSize = 'Unlimited',
        [datetime] $At,
        [ValidateSet('Off', 'Offline', 'Online')] [string] $RevocationMode,
        [ValidateNotNullOrEmpty()] [string[]] $TrustAnchor,
        [ValidateNotNullOrEmpty()] [string[]] $Intermediate,
        [ValidateNotNullOrEmpty()] [string[]] $Crl,
        [ValidateNotNullOrEmpty()] [string[]] $OcspResponse,
        [ValidateNotNullOrEmpty()] [string] $SstPath,
        [ValidateNotNullOrEmpty()] [string] $LintProfile
    )

    begin {
        $batch = @{ People = (New-Object -TypeName System.Collections.Generic.List[string]); Person = $null; Certificates = (New-Object -TypeName System.Collections.Generic.List[object]); Files = (New-Object -TypeName System.Collections.Generic.List[string]) }
        $common = [ordered]@{}
        if ($PSBoundParameters.ContainsKey('At')) { $common.at = ConvertTo-SmimeTime -Time $At }
        if ($RevocationMode) { $common.revocation_mode = $RevocationMode.ToLowerInvariant() }
        if ($TrustAnchor) { $common.anchors = @(Resolve-SmimePath -Path $TrustAnchor -Caller $PSCmdlet) }
        if ($Intermediate) { $common.intermediates = @(Resolve-SmimePath -Path $Intermediate -Caller $PSCmdlet) }
        if ($Crl) { $common.crls = @(Resolve-SmimePath -Path $Crl -Caller $PSCmdlet) }
        if ($OcspResponse) { $common.ocsp_responses = @(Resolve-SmimePath -Path $OcspResponse -Caller $PSCmdlet) }
        if ($SstPath) { $common.sst_path = @(Resolve-SmimePath -Path $SstPath -Caller $PSCmdlet)[0] }
        if ($LintProfile) { $common.lint_profile = $LintProfile.ToLowerInvariant() }
        $judge = @{ Common = $common; EmailAddress = $EmailAddress; Caller = $PSCmdlet }
    }
    process {
        if ($Path) { $batch.Files.AddRange([string[]]@(Resolve-SmimePath -Path $Path -Caller $PSCmdlet)) }
        foreach ($item in $Certificate) { $batch.Certificates.Add(@{ der = [System.Convert]::ToBase64String($item.RawData) }) }
        if ($PSBoundParameters.ContainsKey('Identity')) {
            if ($null -eq $Identity -or $Identity.Count -eq 0) { $null = ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet }
            foreach ($item in $Identity) {
                if ($item -is [SmimeSync.PersonCertificate] -and $item.GetDer()) {
                    # The certificates of a person come one after the other and are judged together.
                    if ($batch.Person -and $batch.Person.Identity -ne $item.Identity) { Receive-SmimeVerdict @judge -Batch $batch }
                    $batch.Person = $item
                    $batch.Certificates.Add(@{ der = [System.Convert]::ToBase64String($item.GetDer()) })
                }
                elseif ($item -is [System.Security.Cryptography.X509Certificates.X509Certificate2]) {
                    $batch.Certificates.Add(@{ der = [System.Convert]::ToBase64String($item.RawData) })
                }
                elseif ($item -is [System.IO.FileSystemInfo]) { $batch.Files.Add($item.FullName) }
                else {
                    foreach ($person in (ConvertTo-SmimeIdentity -InputObject (, $item) -For Directory -Caller $PSCmdlet)) { $batch.People.Add($person) }
                }
            }
        }
    }
    end {
        if ($batch.Certificates.Count -gt 0 -or $batch.Files.Count -gt 0) { Receive-SmimeVerdict @judge -Batch $batch }
        # A pipeline or a list that named nobody is not everybody.
        $isNamed = $MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity') -or $PSCmdlet.ParameterSetName -ne 'Identity'
        if ($batch.People.Count -gt 0 -or -not $isNamed) {
            $session = Get-SmimeSession -Caller $PSCmdlet
            $options = ConvertTo-SmimeSelection -Identity $batch.People -Bound $PSBoundParameters -ResultSize $ResultSize -Caller $PSCmdlet
            foreach ($key in $common.Keys) { $options[$key] = $common[$key] }
            Receive-SmimeRow -Session $session -Verb 'validate' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityValidate
        }
    }
}
