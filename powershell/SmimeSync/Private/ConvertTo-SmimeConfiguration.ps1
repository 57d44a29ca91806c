# Connect-SmimeSync's parameters as a configuration, secrets left out: those are set on the open session.
function ConvertTo-SmimeConfiguration {
    param(
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Bound,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    $places = [ordered]@{
        DirectoryUrl            = 'directory', 'urls', 'list'
        LdifPath                = 'directory', 'path', 'file'
        Base                    = 'directory', 'base', 'text'
        DirectoryCaFile         = 'directory', 'ca_files', 'files'
        Organization            = 'exchange', 'organization', 'text'
        ExchangeEnvironmentName = 'exchange', 'environment', 'text'
        AdminUrl                = 'exchange', 'admin_url', 'text'
        AuthorityUrl            = 'exchange', 'authority_url', 'text'
        ExchangeCaFile          = 'exchange', 'ca_files', 'files'
        TrustAnchor             = 'trust', 'anchors', 'files'
        Intermediate            = 'trust', 'intermediates', 'files'
        Crl                     = 'revocation', 'crls', 'files'
        StorePath               = 'store', 'path', 'file'
    }
    $content = [ordered]@{}
    foreach ($parameter in $places.Keys) {
        if (-not $Bound.ContainsKey($parameter)) { continue }
        $section, $key, $kind = $places[$parameter]
        if (-not $content.Contains($section)) { $content[$section] = [ordered]@{} }
        $value = $Bound[$parameter]
        if ($kind -eq 'file' -or $kind -eq 'files') { $value = Resolve-SmimePath -Path $value -Caller $Caller }
        if ($kind -eq 'list' -or $kind -eq 'files') { $value = @($value) }
        $content[$section][$key] = $value
    }

    # What belongs to a server makes a directory, too: the library then says that the server is missing.
    $ofServer = @('Credential', 'DirectoryCertificateFilePath', 'StartTls' | Where-Object -FilterScript { $Bound.ContainsKey($_) })
    if ($ofServer -and -not $content.Contains('directory')) { $content.directory = [ordered]@{} }
    if ($content.Contains('directory')) {
        if ($Bound.ContainsKey('LdifPath')) { $content.directory.kind = 'ldif' }
        else {
            $content.directory.kind = 'ldap'
            $content.directory.bind = [ordered]@{ method = 'anonymous' }
            if ($Bound.ContainsKey('Credential')) { $content.directory.bind = [ordered]@{ method = 'simple'; user = $Bound['Credential'].UserName } }
        }
        if ($Bound.ContainsKey('DirectoryCertificateFilePath')) {
            $bind = $content.directory.bind
            if ($bind.method -eq 'anonymous') { $bind.method = 'external' }
            $bind.certificate_file = Resolve-SmimePath -Path $Bound['DirectoryCertificateFilePath'] -Caller $Caller
        }
        if ($Bound.ContainsKey('StartTls')) { $content.directory.start_tls = [bool]$Bound['StartTls'] }
    }
    $signIn = [ordered]@{}
    if ($Bound.ContainsKey('AppId')) { $signIn.app_id = $Bound['AppId'] }
    if ($Bound.ContainsKey('CertificateFilePath')) {
        $signIn.method = 'certificate'
        $signIn.certificate_file = Resolve-SmimePath -Path $Bound['CertificateFilePath'] -Caller $Caller
    }
    if ($Bound.ContainsKey('CertificateThumbprint')) {
        $signIn.method = 'certificate'
        $signIn.certificate_thumbprint = $Bound['CertificateThumbprint']
    }
    if ($Bound.ContainsKey('ManagedIdentityAccountId')) { $signIn.managed_identity_client_id = $Bound['ManagedIdentityAccountId'] }
    if ($Bound.ContainsKey('AccessToken')) { $signIn.method = 'token' }
    elseif ($Bound['ManagedIdentity'] -or $Bound.ContainsKey('ManagedIdentityAccountId')) { $signIn.method = 'managed_identity' }
    elseif ($Bound.ContainsKey('ClientSecret')) { $signIn.method = 'secret' }
    if ($signIn.Count -gt 0) {
        if (-not $content.Contains('exchange')) { $content.exchange = [ordered]@{} }
        $content.exchange.auth = $signIn
    }

    $json = ConvertTo-Json -InputObject $content -Compress -Depth 8
    @{
        Bytes         = [System.Text.Encoding]::UTF8.GetBytes($json)
        BaseDirectory = Resolve-SmimePath -Path '.' -Caller $Caller
        Info          = ConvertTo-SmimeConnection -Content (ConvertFrom-Json -InputObject $json)
    }
}
