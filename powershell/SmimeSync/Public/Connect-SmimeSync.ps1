function Connect-SmimeSync {
    <#
    .SYNOPSIS
    Opens a session: a directory, Exchange Online, what is trusted, and where the record is kept.

    .DESCRIPTION
    Takes a configuration file, or the same as parameters. Nothing is contacted yet; Test-SmimeSyncConnection tries
    everything a run needs. A second call replaces the session of the first.

    Signing in to Exchange Online takes one of -ClientSecret, -CertificateFilePath, -CertificateThumbprint, -ManagedIdentity
    and -AccessToken.

    Secrets are best kept out of the file: -Credential, -DirectoryCertificatePassword, -ClientSecret, -CertificatePassword
    and -AccessToken can be added to it.

    .PARAMETER Configuration
    The configuration file (JSON). File names in it are relative to its folder.

    .PARAMETER LdifPath
    An LDIF export of the directory to read people from.

    .PARAMETER DirectoryUrl
    LDAP servers, ldaps:// or ldap://, tried in order; ldapi:// with the path of a socket, except on Windows.

    .PARAMETER Base
    The distinguished name below which people are.

    .PARAMETER Credential
    Name and password for the directory. Several directories have theirs in the file.

    .PARAMETER DirectoryCertificateFilePath
    A client certificate with its key for the directory, PFX or PEM. Without -Credential its account is the one that reads.

    .PARAMETER DirectoryCertificatePassword
    The password of that file.

    .PARAMETER DirectoryCaFile
    Authorities that may vouch for the directory's TLS certificate.

    .PARAMETER StartTls
    Starts TLS on an ldap:// connection before anything is sent.

    .PARAMETER Organization
    The tenant: its domain, such as contoso.onmicrosoft.com, or its GUID.

    .PARAMETER AppId
    The application's (client) id.

    .PARAMETER ClientSecret
    The application's secret.

    .PARAMETER CertificateFilePath
    The application's certificate with its RSA key, PFX or PEM.

    .PARAMETER CertificatePassword
    The password of that file.

    .PARAMETER CertificateThumbprint
    Instead of a file, on Windows: a certificate in the personal store of the user or of the machine, whose key stays there.

    .PARAMETER ManagedIdentity
    Signs in as this machine: an Azure VM, App Service, or a server joined by Azure Arc.

    .PARAMETER ManagedIdentityAccountId
    The client id of a user-assigned identity; the machine's own if absent.

    .PARAMETER AccessToken
    A token for Exchange Online that was had elsewhere.

    .PARAMETER ExchangeEnvironmentName
    The cloud, by Exchange's names.

    .PARAMETER AdminUrl
    Replaces scheme, host and port of the admin API; loopback or the cloud's own hosts only.

    .PARAMETER AuthorityUrl
    Replaces scheme, host and port of the token endpoint; loopback or the cloud's own hosts only.

    .PARAMETER ExchangeCaFile
    Further authorities that may vouch for Exchange Online's TLS certificate.

    .PARAMETER TrustAnchor
    Files with the authorities that people's certificates are trusted by.

    .PARAMETER Intermediate
    Files with issuing authorities, which are not trusted by themselves.

    .PARAMETER Crl
    Files with certificate revocation lists.

    .PARAMETER StorePath
    The file that keeps runs, changes and settings.

    .PARAMETER PassThru
    Emits the connection.

    .EXAMPLE
    Connect-SmimeSync -Configuration C:\ProgramData\SmimeSync\config.json

    .EXAMPLE
    Connect-SmimeSync -LdifPath people.ldif -TrustAnchor root.pem -Crl issuing.crl -PassThru

    .EXAMPLE
    $secret = Read-Host -AsSecureString
    Connect-SmimeSync -DirectoryUrl ldaps://dc1.contoso.com -Base 'DC=contoso,DC=com' -Credential (Get-Credential) -Organization contoso.onmicrosoft.com -AppId 6b1c5c3e-8d0b-4e0c-8f0a-0c7c1f1b2a3d -ClientSecret $secret -TrustAnchor root.pem -StorePath state.db

    .EXAMPLE
    Connect-SmimeSync -DirectoryUrl ldaps://ldap.contoso.com -Base 'dc=contoso,dc=com' -DirectoryCertificateFilePath sync.pfx -DirectoryCertificatePassword (Read-Host -AsSecureString)

    .EXAMPLE
    Connect-SmimeSync -LdifPath people.ldif -Organization contoso.onmicrosoft.com -AppId 6b1c5c3e-8d0b-4e0c-8f0a-0c7c1f1b2a3d -CertificateFilePath app.pfx -CertificatePassword (Read-Host -AsSecureString)

    .EXAMPLE
    Connect-SmimeSync -Organization contoso.onmicrosoft.com -ManagedIdentity

    .OUTPUTS
    Nothing, or a SmimeSync.Connection with -PassThru.
    #>
    [CmdletBinding(DefaultParameterSetName = 'Parameters')]
    [OutputType('SmimeSync.Connection')]
    param(
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Configuration')]
        [ValidateNotNullOrEmpty()] [string] $Configuration,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $LdifPath,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string[]] $DirectoryUrl,
        [Parameter(ParameterSetName = 'Parameters')] [Alias('SearchBase')] [ValidateNotNullOrEmpty()] [string] $Base,
        [System.Management.Automation.PSCredential] [System.Management.Automation.Credential()] $Credential,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $DirectoryCertificateFilePath,
        [System.Security.SecureString] $DirectoryCertificatePassword,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string[]] $DirectoryCaFile,
        [Parameter(ParameterSetName = 'Parameters')] [switch] $StartTls,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $Organization,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $AppId,
        [System.Security.SecureString] $ClientSecret,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $CertificateFilePath,
        [System.Security.SecureString] $CertificatePassword,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $CertificateThumbprint,
        [Parameter(ParameterSetName = 'Parameters')] [switch] $ManagedIdentity,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $ManagedIdentityAccountId,
        [System.Security.SecureString] $AccessToken,
        [Parameter(ParameterSetName = 'Parameters')]
        [ValidateSet('O365Default', 'O365USGovGCCHigh', 'O365USGovDoD', 'O365China', 'O365GermanyCloud')]
        [string] $ExchangeEnvironmentName,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $AdminUrl,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $AuthorityUrl,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string[]] $ExchangeCaFile,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string[]] $TrustAnchor,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string[]] $Intermediate,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string[]] $Crl,
        [Parameter(ParameterSetName = 'Parameters')] [ValidateNotNullOrEmpty()] [string] $StorePath,
        [switch] $PassThru
    )

    Import-SmimeLibrary -Caller $PSCmdlet
    if ($PSCmdlet.ParameterSetName -eq 'Configuration') {
        $path = Resolve-SmimePath -Path $Configuration -Caller $PSCmdlet
        $source = Read-SmimeConfiguration -Path $path -Caller $PSCmdlet
    }
    else {
        Assert-SmimeParameter -Bound $PSBoundParameters -Caller $PSCmdlet
        $source = ConvertTo-SmimeConfiguration -Bound $PSBoundParameters -Caller $PSCmdlet
    }

    $session = Open-SmimeSession -Configuration $source.Bytes -BaseDirectory $source.BaseDirectory -Caller $PSCmdlet
    # Beside a file the password goes with its own name, not with the one the file has.
    $failure = if ($Credential) { $session.Set('/directory/bind/user', $Credential.UserName) }
    $secrets = [ordered]@{}
    if ($Credential) { $secrets['/directory/bind/password'] = $Credential.Password }
    if ($DirectoryCertificatePassword) { $secrets['/directory/bind/certificate_password'] = $DirectoryCertificatePassword }
    if ($ClientSecret) { $secrets['/exchange/auth/secret'] = $ClientSecret }
    if ($CertificatePassword) { $secrets['/exchange/auth/certificate_password'] = $CertificatePassword }
    if ($AccessToken) { $secrets['/exchange/auth/token'] = $AccessToken }
    foreach ($pointer in $secrets.Keys) {
        if (-not $failure) { $failure = $session.SetSecret($pointer, $secrets[$pointer]) }
    }
    if ($failure) {
        $session.Dispose()
        $PSCmdlet.ThrowTerminatingError((ConvertTo-SmimeErrorRecord -NativeError $failure))
    }

    if ($Script:Connection) { $Script:Connection.Session.Dispose() }
    $Script:Connection = @{ Session = $session; Info = $source.Info }
    if ($PassThru) { $source.Info }
}
