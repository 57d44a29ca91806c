function Publish-SmimeCertificate {
    <#
    .SYNOPSIS
    Adds certificates to people in the directory.

    .DESCRIPTION
    Adds values to userCertificate or userSMIMECertificate of users and contacts, beside those that are there. A certificate
    goes to the people whose addresses it has, unless -Identity names others; it is judged for each person first, and one
    that is not fit for the person is not published.

    Every entry asks for confirmation: answer A for all of them, or use -Confirm:$false. -WhatIf writes nothing; the
    objects it emits have the Result planned.

    .PARAMETER Certificate
    Certificates.

    .PARAMETER Path
    Files with certificates: PEM, DER, PKCS#7; or folders of such files.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property. Those
    whose addresses the certificates have, if absent. Null or empty is an error, never everybody.

    .PARAMETER Attribute
    userCertificate or userSMIMECertificate. If absent, containers go to userSMIMECertificate, certificates to
    userCertificate.

    .PARAMETER AsContainer
    Wraps each certificate into a CMS container for userSMIMECertificate. Nobody but the person could sign it, so it says
    nothing about what the person's mail program can do.

    .PARAMETER Staging
    Does everything but write, and keeps the run on record.

    .EXAMPLE
    Publish-SmimeCertificate -Path .\new -WhatIf

    .EXAMPLE
    Get-ChildItem Cert:\CurrentUser\AddressBook | Publish-SmimeCertificate -Identity partner@fabrikam.com

    .INPUTS
    System.Security.Cryptography.X509Certificates.X509Certificate2

    .OUTPUTS
    SmimeSync.DirectoryChange
    #>
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High', DefaultParameterSetName = 'Certificate')]
    [OutputType('SmimeSync.DirectoryChange')]
    param(
        [Parameter(Mandatory = $true, Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Certificate')]
        [ValidateNotNullOrEmpty()] [System.Security.Cryptography.X509Certificates.X509Certificate2[]] $Certificate,
        [Parameter(Mandatory = $true, ParameterSetName = 'Path')] [ValidateNotNullOrEmpty()] [string[]] $Path,
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateSet('userCertificate', 'userSMIMECertificate')] [string] $Attribute,
        [switch] $AsContainer,
        [switch] $Staging
    )

    begin {
        $certificates = New-Object -TypeName System.Collections.Generic.List[object]
        $session = Get-SmimeSession -Caller $PSCmdlet
    }
    process {
        foreach ($item in $Certificate) { $certificates.Add(@{ der = [System.Convert]::ToBase64String($item.RawData) }) }
        if ($Path) { $certificates.AddRange([object[]]@(Resolve-SmimePath -Path $Path -Caller $PSCmdlet)) }
    }
    end {
        if ($certificates.Count -eq 0) { return }
        $options = [ordered]@{ certificates = $certificates.ToArray() }
        if ($PSBoundParameters.ContainsKey('Identity')) {
            $options.identities = @(ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet)
        }
        if ($Attribute) { $options.attribute = $Attribute }
        if ($AsContainer) { $options.container = 'cms' }
        $run = @{ Session = $session; Caller = $PSCmdlet; Verb = 'publish'; Option = $options; Activity = $Script:Text.ActivityPublish }
        if ($Staging) {
            $options.staging = $true
            Receive-SmimeRow @run
        }
        elseif ($ConfirmPreference -eq 'None' -and -not $WhatIfPreference) {
            if ($PSCmdlet.ShouldProcess([string] $Script:Connection.Info.Directory, $Script:Text.PublishAction)) { Receive-SmimeRow @run }
        }
        else { Invoke-SmimeAgreedChange @run }
    }
}
