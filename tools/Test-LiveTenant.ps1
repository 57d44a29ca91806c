<#
.SYNOPSIS
Settles what only a live tenant of Exchange Online can tell about S/MIME certificates, and prints a report to send in.

.DESCRIPTION
Reads by default and changes nothing. With -Write it also changes the certificates of the one mailbox named in -Identity,
which must hold none in either attribute when it begins and holds none when it ends. docs/live-tenant.md says how to
prepare the application and the mailbox.

The report names neither the tenant nor anybody in it, and holds no token, secret, address or certificate.

.EXAMPLE
./Test-LiveTenant.ps1 -Organization contoso.onmicrosoft.com -AppId $app -Secret (Read-Host -AsSecureString) -Identity $guid

.EXAMPLE
./Test-LiveTenant.ps1 -Organization contoso.onmicrosoft.com -AppId $app -Secret $secret -Identity $guid -Write -Path report.json
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', DefaultParameterSetName = 'Secret')]
param(
    # The tenant's initial domain or GUID.
    [Parameter(Mandatory)] [ValidatePattern('^[A-Za-z0-9][A-Za-z0-9.-]*$')] [string] $Organization,
    # The Guid of a mailbox made for this test.
    [Parameter(Mandatory)] [guid] $Identity,
    # The Guid of a directory-synchronised mailbox; its own values are written to it again.
    [guid] $SyncedIdentity = [guid]::Empty,
    [Parameter(Mandatory, ParameterSetName = 'Secret')] [guid] $AppId,
    [Parameter(Mandatory, ParameterSetName = 'Secret')] [securestring] $Secret,
    # A token of the application, from wherever it was got.
    [Parameter(Mandatory, ParameterSetName = 'Token')] [securestring] $AccessToken,
    # Changes the mailbox, too.
    [switch] $Write,
    # A file for the report; otherwise it is printed.
    [string] $Path,
    [uri] $AdminUrl = 'https://outlook.office365.com',
    [uri] $AuthorityUrl = 'https://login.microsoftonline.com',
    # Where tokens are for; differs in national clouds.
    [string] $Scope = 'https://outlook.office365.com/.default'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Add-Type -AssemblyName System.Net.Http

$client = [System.Net.Http.HttpClient]::new([System.Net.Http.HttpClientHandler] @{ AllowAutoRedirect = $false })
$client.Timeout = [timespan]::FromMinutes(16)
$connection = [guid]::NewGuid()
$findings = [ordered] @{}

function ConvertFrom-Secure([securestring] $Text) { [System.Net.NetworkCredential]::new('', $Text).Password }

function Get-Token {
    if ($AccessToken) { return ConvertFrom-Secure $AccessToken }
    $form = [System.Collections.Generic.Dictionary[string, string]]::new()
    $form['client_id'] = $AppId
    $form['client_secret'] = ConvertFrom-Secure $Secret
    $form['scope'] = $Scope
    $form['grant_type'] = 'client_credentials'
    $content = [System.Net.Http.FormUrlEncodedContent]::new($form)
    $answer = $client.PostAsync([uri]::new($AuthorityUrl, "/$Organization/oauth2/v2.0/token"), $content).GetAwaiter().GetResult()
    $body = $answer.Content.ReadAsStringAsync().GetAwaiter().GetResult() | ConvertFrom-Json
    if (-not $answer.IsSuccessStatusCode) { throw "sign-in was refused: $(($body.error_description -split 'Trace ID')[0])" }
    $body.access_token
}

# The token's own account of itself; a token that cannot be read is no fault.
function Get-Claim([string] $Token) {
    try {
        $part = $Token.Split('.')[1].Replace('-', '+').Replace('_', '/')
        $bytes = [Convert]::FromBase64String($part.PadRight($part.Length + (4 - $part.Length % 4) % 4, '='))
        [System.Text.Encoding]::UTF8.GetString($bytes) | ConvertFrom-Json
    }
    catch { [pscustomobject] @{} }
}

function Get-Member2($Object, [string] $Name) {
    if ($null -ne $Object -and $Object.PSObject.Properties[$Name]) { $Object.$Name }
}

# Sends one request, repeats it while the service asks for patience, and gives status, headers and body.
function Send-Request([string] $Method, [string] $Tail, $Body, [hashtable] $Header = @{}) {
    $uri = if ($Tail -match '^https?://') { [uri] $Tail } else { [uri]::new($AdminUrl, "/adminapi/beta/$Organization/$Tail") }
    # the token goes nowhere else
    if ($uri.Host -ne $AdminUrl.Host) { throw 'the service leads to another host' }
    for ($try = 1; ; $try++) {
        $request = [System.Net.Http.HttpRequestMessage]::new($Method, $uri)
        $null = $request.Headers.TryAddWithoutValidation('Authorization', "Bearer $token")
        $null = $request.Headers.TryAddWithoutValidation('X-AnchorMailbox', $anchor)
        $null = $request.Headers.TryAddWithoutValidation('Accept', 'application/json')
        $null = $request.Headers.TryAddWithoutValidation('Accept-Language', 'en-US')
        $null = $request.Headers.TryAddWithoutValidation('connection-id', "$connection")
        $null = $request.Headers.TryAddWithoutValidation('client-request-id', "$([guid]::NewGuid())")
        foreach ($name in $Header.Keys) { $null = $request.Headers.TryAddWithoutValidation($name, $Header[$name]) }
        if ($null -ne $Body) {
            $request.Content = [System.Net.Http.StringContent]::new($Body, [System.Text.Encoding]::UTF8, 'application/json')
        }
        $answer = $client.SendAsync($request).GetAwaiter().GetResult()
        $status = [int] $answer.StatusCode
        if ($status -in 429, 503, 504 -and $try -lt 6) {
            $wait = if ($answer.Headers.RetryAfter -and $answer.Headers.RetryAfter.Delta) { $answer.Headers.RetryAfter.Delta.TotalSeconds } else { [math]::Pow(2, $try) }
            Write-Verbose "waiting $wait s, as the service asks"
            Start-Sleep -Seconds ([math]::Ceiling($wait))
            continue
        }
        $text = $answer.Content.ReadAsStringAsync().GetAwaiter().GetResult().Replace("`0", '')
        $json = $null
        if ($text.TrimStart().StartsWith('{')) { try { $json = $text | ConvertFrom-Json } catch { $json = $null } }
        return [pscustomobject] @{ Status = $status; Headers = $answer.Headers; Text = $text; Json = $json }
    }
}

function Invoke-Cmdlet([string] $Name, [System.Collections.IDictionary] $Parameter, [hashtable] $Header = @{}, [string] $Select) {
    $body = @{ CmdletInput = @{ CmdletName = $Name; Parameters = $Parameter } } | ConvertTo-Json -Depth 10 -Compress
    $tail = if ($Select) { "InvokeCommand?`$select=$Select" } else { 'InvokeCommand' }
    Send-Request 'POST' $tail $body ($Header + @{ 'X-CmdletName' = $Name })
}

# What a refusal says, without whom it is about: exception and status alone, and whether known words are in it.
function Get-Refusal($Answer) {
    $exception = $null
    $type = $null
    if ($Answer.Headers.Contains('X-ExceptionType')) { $type = @($Answer.Headers.GetValues('X-ExceptionType'))[0] }
    if ($Answer.Text -match '\|([A-Za-z0-9.]+Exception)\|') { $exception = $Matches[1] }
    [ordered] @{
        status         = $Answer.Status
        exception      = if ($exception) { $exception } else { $type }
        on_premises    = $Answer.Text -match 'being synchronized from your on-premises organization'
        transformation = $Answer.Text -match 'Cannot process argument transformation'
        errors_inside  = $null -ne (Get-Member2 $Answer.Json '@adminapi.errors')
    }
}

function Test-Success($Answer) { $Answer.Status -in 200, 204 -and -not (Get-Member2 $Answer.Json '@adminapi.errors') }

# How the first value of a property looks.
function Get-Shape($Object, [string] $Name) {
    $property = if ($null -ne $Object) { $Object.PSObject.Properties[$Name] }
    if (-not $property) { return 'absent' }
    $value = $property.Value
    if ($null -eq $value) { return 'null' }
    if (@($value).Count -eq 0) { return 'empty' }
    $first = @($value)[0]
    switch ($true) {
        ($first -is [string] -and $first -eq 'System.Byte[]') { return 'type name' }
        ($first -is [string]) { try { $null = [Convert]::FromBase64String($first); return 'base64' } catch { return 'text' } }
        ($first -is [array]) { return 'array of numbers' }
        ($null -ne (Get-Member2 $first 'Data')) { return $(if ($first.Data -is [string]) { 'Data, base64' } else { 'Data, numbers' }) }
        default { return $first.GetType().Name }
    }
}

# The values of a property as base64, from whichever form can be read; nothing where none can.
function ConvertTo-Base64List($Value) {
    foreach ($one in @($Value)) {
        if ($one -is [string]) { try { [Convert]::ToBase64String([Convert]::FromBase64String($one)) } catch { return } }
        elseif ($one -is [array]) { [Convert]::ToBase64String([byte[]] $one) }
        elseif ($null -ne (Get-Member2 $one 'Data')) { if ($one.Data -is [string]) { $one.Data } else { [Convert]::ToBase64String([byte[]] $one.Data) } }
    }
}

# Both attributes in each form a reading can have.
function Read-Mailbox([guid] $Guid) {
    $select = 'Guid,IsDirSynced,IsExchangeCloudManaged,UserCertificate,UserSMimeCertificate'
    $json = Invoke-Cmdlet 'Get-Mailbox' @{ Identity = "$Guid" } -Select $select
    $clixml = Invoke-Cmdlet 'Get-Mailbox' @{ Identity = "$Guid" } -Select $select -Header @{ 'X-ResponseFormat' = 'clixml'; 'X-SerializationLevel' = 'Full' }
    $entity = Send-Request 'GET' "Mailbox('$Guid')?`$select=UserCertificate,UserSMimeCertificate" $null
    $forms = [ordered] @{}
    $values = @{}
    $own = @(Get-Member2 $json.Json 'value')[0]
    foreach ($name in 'UserCertificate', 'UserSMimeCertificate') {
        $read = Get-Member2 $own $name
        $values[$name] = @(ConvertTo-Base64List $read)
        $xml = [string] (Get-Member2 @(Get-Member2 $clixml.Json 'value')[0] '_clixml')
        $inXml = $null
        if ($xml) {
            try {
                if (([xml] $xml).SelectSingleNode("//*[@N='$name']")) {
                    $inXml = @(([xml] $xml).SelectNodes("//*[@N='$name']//*[local-name()='BA']") | ForEach-Object { $_.InnerText })
                }
            }
            catch { $inXml = $null }
        }
        if (-not $values[$name]) { $values[$name] = @($inXml | Where-Object { $_ }) }
        $typed = Get-Member2 $entity.Json $name
        if (-not $values[$name]) { $values[$name] = @(ConvertTo-Base64List $typed) }
        $forms[$name] = [ordered] @{
            json = Get-Shape $own $name; json_annotation = [string] (Get-Member2 $own "$name@odata.type")
            clixml_values = if ($null -eq $inXml) { $null } else { $inXml.Count }
            entity_status = $entity.Status; entity = Get-Shape $entity.Json $name
        }
    }
    [pscustomobject] @{ Found = $null -ne $own; Status = $json.Status; Object = $own; Forms = $forms; Values = $values }
}

# Whether some form says for certain that a property has no values.
function Test-Empty($Form) { $Form.json -in 'empty', 'null' -or $Form.clixml_values -eq 0 -or $Form.entity -in 'empty', 'null' }

function New-Value([string] $Name) {
    $key = [System.Security.Cryptography.RSA]::Create(2048)
    $request = [System.Security.Cryptography.X509Certificates.CertificateRequest]::new(
        "CN=$Name", $key, [System.Security.Cryptography.HashAlgorithmName]::SHA256, [System.Security.Cryptography.RSASignaturePadding]::Pkcs1)
    $now = [DateTimeOffset]::UtcNow
    , $request.CreateSelfSigned($now.AddDays(-1), $now.AddDays(30)).RawData
}

# A write in the shape that is proven; $Values are byte arrays.
function Set-Value([guid] $Guid, [string] $Name, [System.Collections.IEnumerable] $Values) {
    $list = @(foreach ($value in $Values) { @{ Data = [int[]] $value } })
    Invoke-Cmdlet 'Set-Mailbox' ([ordered] @{
            Identity = "$Guid"; "$Name@odata.type" = '#Collection(Exchange.ByteArrayType)'; $Name = $list; Confirm = $false
        })
}

function Set-Raw([guid] $Guid, [System.Collections.IDictionary] $Parameter) {
    Invoke-Cmdlet 'Set-Mailbox' ([ordered] @{ Identity = "$Guid"; Confirm = $false } + $Parameter)
}

# What a write came to: the refusal, or what is read afterwards, in the numbers of the values given.
function Get-Effect([guid] $Guid, [string] $Name, $Answer, [byte[][]] $Given) {
    if (-not (Test-Success $Answer)) { return Get-Refusal $Answer }
    $held = @((Read-Mailbox $Guid).Values[$Name])
    $texts = @($Given | ForEach-Object { [Convert]::ToBase64String($_) })
    [ordered] @{ status = $Answer.Status; held = $held.Count; order = @($held | ForEach-Object { [array]::IndexOf($texts, $_) }) }
}

$token = Get-Token
$claims = Get-Claim $token
$tenant = if (Get-Member2 $claims 'tid') { $claims.tid } else { $Organization }
$anchor = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@$tenant"
$findings['token'] = [ordered] @{ roles = @(Get-Member2 $claims 'roles'); directory_roles = @(Get-Member2 $claims 'wids').Count }

$before = Read-Mailbox $Identity
if (-not $before.Found) { throw "the mailbox cannot be read (HTTP $($before.Status))" }
$findings['read'] = [ordered] @{
    is_dir_synced = Get-Member2 $before.Object 'IsDirSynced'
    is_cloud_managed = Get-Member2 $before.Object 'IsExchangeCloudManaged'
    forms = $before.Forms
}

Write-Verbose 'paging'
$first = Invoke-Cmdlet 'Get-Mailbox' @{ ResultSize = 'Unlimited' } -Header @{ Prefer = 'odata.maxpagesize=2' } -Select 'Guid'
$link = Get-Member2 $first.Json '@odata.nextLink'
$findings['paging'] = [ordered] @{
    status = $first.Status; objects = @(Get-Member2 $first.Json 'value').Count; next_link = [bool] $link
    warnings = @(Get-Member2 $first.Json '@adminapi.warnings').Count
    rate_headers = @($first.Headers | Where-Object Key -like 'Rate-Limit*' | ForEach-Object { "$($_.Key): $($_.Value -join ' ')" })
}
if ($link -and ([uri] $link).Host -eq $AdminUrl.Host) {
    $body = @{ CmdletInput = @{ CmdletName = 'Get-Mailbox'; Parameters = @{ ResultSize = 'Unlimited' } } } | ConvertTo-Json -Depth 5 -Compress
    $findings['paging']['post_status'] = (Send-Request 'POST' $link $body @{ Prefer = 'odata.maxpagesize=2' }).Status
    $findings['paging']['get_status'] = (Send-Request 'GET' $link $null).Status
}

$smime = Invoke-Cmdlet 'Get-SmimeConfig' @{}
$settings = @(Get-Member2 $smime.Json 'value')[0]
$findings['smime_config'] = [ordered] @{ status = $smime.Status; shape = Get-Shape $settings 'SMIMECertificateIssuingCA' }

if ($Write) {
    $held = $before.Values['UserCertificate'].Count + $before.Values['UserSMimeCertificate'].Count
    $unread = @($before.Forms.Values | Where-Object { -not (Test-Empty $_) }).Count
    if ($held -or $unread) { throw 'the mailbox holds certificates; a test mailbox must hold none' }
    if ($PSCmdlet.ShouldProcess("mailbox $Identity", 'write and clear certificates')) {
        [byte[][]] $values = @(1..3 | ForEach-Object { , (New-Value "SmimeSync test $_") })
        $name = 'UserCertificate'
        try {
            $findings['write'] = Get-Effect $Identity $name (Set-Value $Identity $name @(, $values[0])) $values
            $findings['read_after_write'] = (Read-Mailbox $Identity).Forms
            $findings['order'] = Get-Effect $Identity $name (Set-Value $Identity $name @($values[2], $values[0], $values[1])) $values
            $findings['duplicates'] = Get-Effect $Identity $name (Set-Value $Identity $name @($values[0], $values[0], $values[1])) $values
            $findings['clear_by_empty_list'] = Get-Effect $Identity $name (Set-Raw $Identity @{ "$name@odata.type" = '#Collection(Exchange.ByteArrayType)'; $name = @() }) $values
            $null = Set-Value $Identity $name @(, $values[0])
            $findings['clear_by_null'] = Get-Effect $Identity $name (Set-Raw $Identity @{ $name = $null }) $values
            $findings['base64_instead_of_numbers'] = Get-Effect $Identity $name (
                Set-Raw $Identity @{ "$name@odata.type" = '#Collection(Exchange.ByteArrayType)'; $name = @(@{ Data = [Convert]::ToBase64String($values[0]) }) }) $values
            [byte[][]] $garbage = @(, [byte[]] (1, 2, 3, 4))
            $findings['no_certificate_at_all'] = Get-Effect $Identity $name (Set-Value $Identity $name $garbage) $garbage
            $findings['der_in_UserSMimeCertificate'] = Get-Effect $Identity 'UserSMimeCertificate' (Set-Value $Identity 'UserSMimeCertificate' @(, $values[0])) $values
            foreach ($count in 15, 16, 32, 64) {
                [byte[][]] $many = @(1..$count | ForEach-Object { , [byte[]] ($values[0] + [BitConverter]::GetBytes($_)) })
                $effect = Get-Effect $Identity $name (Set-Value $Identity $name $many) $many
                $findings["values_$count"] = [ordered] @{ status = $effect.status; held = $effect['held']; exception = $effect['exception'] }
            }
        }
        finally {
            $null = Set-Raw $Identity @{ UserCertificate = $null; UserSMimeCertificate = $null }
            $after = Read-Mailbox $Identity
            $findings['left_behind'] = $after.Values['UserCertificate'].Count + $after.Values['UserSMimeCertificate'].Count
            if ($findings['left_behind']) { Write-Warning "the mailbox still holds $($findings['left_behind']) values of this test; clear them by hand" }
        }
    }
    if ($SyncedIdentity -ne [guid]::Empty -and $PSCmdlet.ShouldProcess("mailbox $SyncedIdentity", 'write its own certificates to it again')) {
        $synced = Read-Mailbox $SyncedIdentity
        $own = @($synced.Values['UserCertificate'] | ForEach-Object { , [Convert]::FromBase64String($_) })
        $unread = -not $own -and -not (Test-Empty $synced.Forms['UserCertificate'])
        if ($unread) { $findings['synced'] = 'its values cannot be read, so nothing was written' }
        else {
            $answer = if ($own) { Set-Value $SyncedIdentity 'UserCertificate' $own } else { Set-Raw $SyncedIdentity @{ UserCertificate = $null } }
            $findings['synced'] = [ordered] @{
                is_dir_synced = Get-Member2 $synced.Object 'IsDirSynced'; is_cloud_managed = Get-Member2 $synced.Object 'IsExchangeCloudManaged'
                accepted = Test-Success $answer; refusal = if (Test-Success $answer) { $null } else { Get-Refusal $answer }
            }
        }
    }
}

$report = [ordered] @{ report = 'smimesync-live-tenant'; version = 1; wrote = [bool] $findings['write']; findings = $findings } | ConvertTo-Json -Depth 10
if ($Path) { Set-Content -LiteralPath $Path -Value $report -Encoding utf8 } else { $report }
