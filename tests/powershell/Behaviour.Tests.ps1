# The cmdlets on a company of 40 people and the tenant's double.
#   SMIMESYNC_LIBRARY, SMIMESYNC_COMPANY, SMIMESYNC_TENANT name the library's file and the two programs;
#   SMIMESYNC_POOL, where set, the folder that keeps the company's keys.

BeforeDiscovery {
    $hasPrograms = $env:SMIMESYNC_COMPANY -and $env:SMIMESYNC_TENANT
    $hasOpenssl = [bool](Get-Command openssl -CommandType Application -ErrorAction Ignore)
    # A shell that runs this in the background has the interrupt signal ignored for all its children.
    $status = '/proc/self/status'
    $canInterrupt = (Test-Path $status) -and -not ([convert]::ToInt64(((Select-String '^SigIgn:\s+(\w+)' $status).Matches[0].Groups[1].Value), 16) -band 2)
}

BeforeAll {
    $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
    $manifest = Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1'
    $library = [System.IO.Path]::GetFullPath($env:SMIMESYNC_LIBRARY)
    Import-Module $manifest -Force -ArgumentList $library
    $shell = (Get-Process -Id $PID).Path

    function Start-Tenant([string] $State, [string] $Ready, [string] $Save) {
        $process = Start-Process $env:SMIMESYNC_TENANT -ArgumentList '--state', $State, '--save', $Save, '--ready', $Ready -PassThru
        for ($try = 0; $try -lt 100 -and -not ((Test-Path $Ready) -and (Get-Item $Ready).Length); $try++) { Start-Sleep -Milliseconds 100 }
        $process
    }
    function Write-Configuration([string] $Path, [string] $Ready, [string] $Store) {
        $config = Get-Content (Join-Path $folder 'company.json') -Raw | ConvertFrom-Json -DateKind String
        $url = (Get-Content $Ready -Raw | ConvertFrom-Json).http
        $config | Add-Member directory @{ kind = 'ldif'; path = 'people.ldif' }
        $config | Add-Member store @{ path = $Store }
        $config.exchange | Add-Member admin_url $url
        $config.exchange | Add-Member authority_url $url
        [System.IO.File]::WriteAllText($Path, (ConvertTo-Json $config -Depth 8))
    }
    # A script in a PowerShell of its own: what it says, what it exits with.
    function Invoke-Child([string] $Script, [string[]] $Argument = @('-NonInteractive')) {
        $path = Join-Path $TestDrive "child-$([guid]::NewGuid()).ps1"
        [System.IO.File]::WriteAllText($path, "Import-Module '$manifest' -ArgumentList '$library'`nConnect-SmimeSync -Configuration '$configuration'`n$Script")
        & $shell -NoProfile @Argument -File $path 2>&1
    }

    $tenants = @()
    $folder = Join-Path $TestDrive 'company'
    $ready = Join-Path $TestDrive 'ready'
    $configuration = Join-Path $folder 'config.json'
    if ($env:SMIMESYNC_COMPANY -and $env:SMIMESYNC_TENANT) {
        $pool = $env:SMIMESYNC_POOL
        if (-not $pool) { $pool = Join-Path $TestDrive 'pool' }
        & $env:SMIMESYNC_COMPANY make --people 40 --seed 1 --at 2026-11-20T00:00:00Z --out $folder --pool $pool | Out-Null
        $tenants += Start-Tenant (Join-Path $folder 'tenant.json') $ready (Join-Path $folder 'saved.json')
        Write-Configuration $configuration $ready 'state.db'
        $people = (Get-Content (Join-Path $folder 'expected-ldif.json') -Raw | ConvertFrom-Json).people
        $good = @($people | Where-Object recipe -eq 'good')[0]
        $changes = @($people.rows | Where-Object action -in 'set', 'clear')
    }
}

AfterAll {
    Disconnect-SmimeSync
    foreach ($tenant in $tenants) { Stop-Process -Id $tenant.Id -ErrorAction Ignore }
}

Describe 'without a session' {
    BeforeAll { Disconnect-SmimeSync }
    It '<_> says so' -ForEach @('Get-SmimeCertificate', 'Get-SmimeCoverage', 'Test-SmimeSyncConnection', 'Compare-SmimeCertificate', 'Get-SmimeRecipient', 'Get-SmimeSyncRun', 'Get-SmimeSyncChange', 'Get-SmimeWeakKey') {
        { & $_ } | Should -Throw -ErrorId "SmimeSync.Host.NotConnected,$_"
    }
    It 'writes nothing either' {
        { Sync-SmimeCertificate -Confirm:$false } | Should -Throw -ErrorId 'SmimeSync.Host.NotConnected,Sync-SmimeCertificate'
    }
    It 'shows no connection, and closing is fine' {
        Get-SmimeSyncConnection | Should -BeNullOrEmpty
        { Disconnect-SmimeSync } | Should -Not -Throw
    }
}

Describe 'a wrong configuration' {
    It 'that is missing is named' {
        { Connect-SmimeSync -Configuration (Join-Path $TestDrive 'nowhere.json') } | Should -Throw -ErrorId 'SmimeSync.Host.ConfigurationNotFound,Connect-SmimeSync'
    }
    It 'with <Text> is <Id> at <Target>' -ForEach @(
        @{ Text = '{"nonsense":1}'; Id = 'SmimeSync.Config.UnknownKey'; Target = '/nonsense' }
        @{ Text = '{"policy":{"max_values":"many"}}'; Id = 'SmimeSync.Config.Type'; Target = '/policy/max_values' }
        @{ Text = '{"policy":'; Id = 'SmimeSync.Config.Syntax'; Target = $null }
    ) {
        $path = Join-Path $TestDrive 'wrong.json'
        [System.IO.File]::WriteAllText($path, $Text)
        $failure = { Connect-SmimeSync -Configuration $path } | Should -Throw -ErrorId "$Id,Connect-SmimeSync" -PassThru
        $failure.CategoryInfo.Category | Should -Be 'InvalidData'
        $failure.TargetObject | Should -Be $Target
        $failure.Exception | Should -BeOfType SmimeSync.NativeException
        Get-SmimeSyncConnection | Should -BeNullOrEmpty
    }
    It 'does not close the session that is open' {
        Connect-SmimeSync -LdifPath (Join-Path $TestDrive 'people.ldif')
        { Connect-SmimeSync -Configuration (Join-Path $TestDrive 'nowhere.json') } | Should -Throw
        Get-SmimeSyncConnection | Should -Not -BeNullOrEmpty
        Disconnect-SmimeSync
    }
    It 'with a missing export names the file' {
        Connect-SmimeSync -LdifPath (Join-Path $TestDrive 'people.ldif')
        $failure = { Get-SmimeCertificate } | Should -Throw -ErrorId 'SmimeSync.Config.FileNotFound,Get-SmimeCertificate' -PassThru
        $failure.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $failure.TargetObject | Should -Match 'people\.ldif$'
        $failed = Test-SmimeSyncConnection | Where-Object Result -eq 'fail'
        @($failed.Detail) -like "*people.ldif: no such file" | Should -Not -BeNullOrEmpty
        $failed.Detail | Should -Contain '/store/path: a required value is missing'
        ($failed | Format-Table | Out-String -Width 200) | Should -Match 'people\.ldif: no such file'
        Disconnect-SmimeSync
    }
}

Describe 'parameters instead of a file' -Skip:(-not $hasPrograms) {
    It 'read relative to the location, and secrets are shown nowhere' {
        $secret = ConvertTo-SecureString 'hidden-secret' -AsPlainText -Force
        Push-Location $folder
        try { $connection = Connect-SmimeSync -LdifPath people.ldif -TrustAnchor roots.pem -Intermediate intermediates.pem -Organization contoso.onmicrosoft.com -AppId x -ClientSecret $secret -PassThru }
        finally { Pop-Location }
        $connection.Directory | Should -Be (Join-Path $folder 'people.ldif')
        $connection | ConvertTo-Json | Should -Not -Match 'hidden-secret'
        @(Get-SmimeCertificate -ResultSize 1 -WarningAction SilentlyContinue).Count | Should -BeGreaterThan 0
        Disconnect-SmimeSync
    }
    It 'sign in with a certificate, and say what is wrong with its file' {
        $pfx = Join-Path $root 'tests/data/sign_in/modern.pfx'
        $url = (Get-Content $ready -Raw | ConvertFrom-Json).http
        $state = Invoke-RestMethod "$url/control/state"
        $pem = Get-Content (Join-Path $root 'tests/data/sign_in/cert.pem') | Where-Object { $_ -notmatch '^-----' }
        $state.apps[0] | Add-Member certificates @(-join $pem) -Force
        Invoke-RestMethod "$url/control/state" -Method Post -Body (ConvertTo-Json $state -Depth 20) | Out-Null
        $signIn = @{ Organization = $state.tenant.domain; AppId = $state.apps[0].app_id; CertificateFilePath = $pfx; AdminUrl = $url; AuthorityUrl = $url }
        Connect-SmimeSync @signIn -CertificatePassword (ConvertTo-SecureString 'pässwörd +&%' -AsPlainText -Force)
        @(Get-SmimeRecipient -ResultSize 1 -WarningAction SilentlyContinue).Count | Should -Be 1
        Connect-SmimeSync @signIn -CertificatePassword (ConvertTo-SecureString 'hidden-secret' -AsPlainText -Force)
        $failure = { Get-SmimeRecipient } | Should -Throw -ErrorId 'SmimeSync.Exchange.Certificate,Get-SmimeRecipient' -PassThru
        $failure.TargetObject | Should -Be $pfx
        "$failure" | Should -Match 'certificate_password'
        "$failure" | Should -Not -Match 'hidden-secret'
        Disconnect-SmimeSync
    }
    It 'that exclude each other are named: <Name>' -ForEach @(
        @{ Name = '-LdifPath and -DirectoryCertificateFilePath'; Parameters = @{ LdifPath = 'people.ldif'; DirectoryCertificateFilePath = 'sync.pfx' } }
        @{ Name = '-LdifPath and -DirectoryUrl'; Parameters = @{ LdifPath = 'people.ldif'; DirectoryUrl = 'ldaps://x' } }
        @{ Name = '-LdifPath and -StartTls'; Parameters = @{ LdifPath = 'people.ldif'; StartTls = $true } }
        @{ Name = '-ClientSecret and -CertificateFilePath'; Parameters = @{ Organization = 'x'; AppId = 'x'; ClientSecret = [securestring]::new(); CertificateFilePath = 'app.pfx' } }
        @{ Name = '-ManagedIdentity and -AccessToken'; Parameters = @{ Organization = 'x'; ManagedIdentity = $true; AccessToken = [securestring]::new() } }
    ) {
        $failure = { Connect-SmimeSync @Parameters } | Should -Throw -ErrorId 'SmimeSync.Host.ParameterConflict,Connect-SmimeSync' -PassThru
        "$failure" | Should -BeLike "$Name *"
    }
    It 'that belong to a server need one' {
        Connect-SmimeSync -DirectoryCertificateFilePath (Join-Path $root 'tests/data/sign_in/modern.pfx')
        { Get-SmimeCertificate } | Should -Throw -ErrorId 'SmimeSync.Config.Missing,Get-SmimeCertificate'
        Disconnect-SmimeSync
    }
    It 'refuse a thumbprint where there is no store of Windows' -Skip:($env:OS -eq 'Windows_NT') {
        $failure = { Connect-SmimeSync -Organization contoso.onmicrosoft.com -AppId x -CertificateThumbprint ('ab' * 20) } |
            Should -Throw -ErrorId 'SmimeSync.Config.Unsupported,Connect-SmimeSync' -PassThru
        $failure.TargetObject | Should -Be '/exchange/auth/certificate_thumbprint'
    }
    It 'refuse a managed identity where the machine has none' {
        # the library reads the process's own environment, which only a new process takes over
        $before = $env:IDENTITY_ENDPOINT, $env:IDENTITY_HEADER
        try {
            $env:IDENTITY_ENDPOINT, $env:IDENTITY_HEADER = 'http://127.0.0.1:1/msi/token', 'x'
            $said = Invoke-Child 'Connect-SmimeSync -Organization contoso.onmicrosoft.com -ManagedIdentity
                try { Get-SmimeRecipient } catch { $_.FullyQualifiedErrorId; [string]$_.CategoryInfo.Category }'
        }
        finally { $env:IDENTITY_ENDPOINT, $env:IDENTITY_HEADER = $before }
        $said | Should -Be 'SmimeSync.Exchange.Identity,Get-SmimeRecipient', 'AuthenticationError'
    }
    It 'take a token and a secret beside a file' {
        Connect-SmimeSync -Configuration $configuration -ClientSecret (ConvertTo-SecureString 'wrong' -AsPlainText -Force)
        $failure = { Get-SmimeRecipient } | Should -Throw -ErrorId 'SmimeSync.Exchange.Auth,Get-SmimeRecipient' -PassThru
        $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
        Disconnect-SmimeSync
    }
}

Describe 'a session' -Skip:(-not $hasPrograms) {
    BeforeAll { Connect-SmimeSync -Configuration $configuration }

    Context 'looking' {
        It 'passes every test of the connection' {
            $steps = Test-SmimeSyncConnection
            @($steps).Count | Should -BeGreaterThan 3
            $steps | Where-Object Result -ne 'pass' | Should -BeNullOrEmpty
        }
        It 'emits one object for each certificate, with its person' {
            $certificates = Get-SmimeCertificate $good.primary_smtp_address
            @($certificates).Count | Should -Be @($good.values).Count
            $certificates[0].Identity | Should -Be $good.identity
            $certificates[0].Thumbprint | Should -Be $good.values[0].thumbprint
            $certificates[0].NotAfter.Kind | Should -Be 'Utc'
            $parsed = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($certificates[0].GetDer())
            $parsed.Thumbprint | Should -Be $certificates[0].Thumbprint
        }
        It 'prints well as CSV and JSON, without bytes' {
            $certificate = Get-SmimeCertificate $good.primary_smtp_address | Select-Object -First 1
            ($certificate | ConvertTo-Csv)[1] | Should -Not -Match 'System\.'
            $certificate | ConvertTo-Json | Should -Not -Match 'Der'
            ($certificate | ConvertTo-Json | ConvertFrom-Json).Emails.GetType().IsArray | Should -BeTrue
        }
        It 'prints as a table of <_>' -ForEach @('Get-SmimeCertificate', 'Test-SmimeCertificate', 'Get-SmimeWeakKey', 'Get-SmimeCoverage', 'Get-SmimeRecipient', 'Compare-SmimeCertificate', 'Test-SmimeSyncConnection', 'Get-SmimeSyncConnection') {
            $lines = & $_ | Select-Object -First 3 | Out-String -Width 120
            $lines | Should -Match '(?m)^-+( +-+){3,6}\s*$'
            $lines | Should -Not -Match 'System\.'
        }
        It 'warns at the limit of -ResultSize and stops there' {
            $certificates = Get-SmimeCertificate -ResultSize 2 -WarningVariable warnings -WarningAction SilentlyContinue
            @($certificates.Identity | Sort-Object -Unique).Count | Should -BeLessOrEqual 2
            $warnings | Should -Match 'ResultSize allows \(2\)'
        }
        It 'refuses a -ResultSize of <_>' -ForEach @('0', '-1', 'many', '') {
            { Get-SmimeCertificate -ResultSize $_ } | Should -Throw -ErrorId 'SmimeSync.Host.ResultSizeInvalid,Get-SmimeCertificate'
        }
        It 'finds everybody with -ResultSize Unlimited' {
            @(Get-SmimeCertificate -ResultSize unlimited).Count | Should -BeGreaterOrEqual @($people.values).Count
        }
        It 'ends with Select-Object -First, leaving no error and a session that works' {
            $Error.Clear()
            @(Get-SmimeCertificate | Select-Object -First 1).Count | Should -Be 1
            $Error.Count | Should -Be 0
            @(Get-SmimeRecipient | Select-Object -First 2).Count | Should -Be 2
        }
        It 'says what it reads with -Verbose' {
            (Get-SmimeCertificate -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }) | Should -Match 'people read'
        }
        It 'hands sentences to -Filter of Exchange as they are' {
            @(Get-SmimeRecipient -Filter "PrimarySmtpAddress -eq '$($good.primary_smtp_address)'").Identity | Should -Be $good.recipient
        }
    }

    Context 'identities' {
        It '<Name> ends <Cmdlet>' -ForEach @(
            foreach ($cmdlet in 'Get-SmimeCertificate', 'Test-SmimeCertificate', 'Get-SmimeWeakKey', 'Compare-SmimeCertificate', 'Get-SmimeRecipient', 'Sync-SmimeCertificate') {
                @{ Cmdlet = $cmdlet; Name = 'null'; Call = { & $args[0] $null } }
                @{ Cmdlet = $cmdlet; Name = 'empty text'; Call = { & $args[0] '' } }
                @{ Cmdlet = $cmdlet; Name = 'an empty list'; Call = { & $args[0] @() } }
                @{ Cmdlet = $cmdlet; Name = 'a list with nothing in it'; Call = { & $args[0] @('a@contoso.com', '') } }
                @{ Cmdlet = $cmdlet; Name = 'null from the pipeline'; Call = { $null | & $args[0] } }
                @{ Cmdlet = $cmdlet; Name = 'an object with an empty address'; Call = { [pscustomobject]@{ PrimarySmtpAddress = $null } | & $args[0] } }
            }
        ) {
            { & $Call $Cmdlet } | Should -Throw -ErrorId "SmimeSync.Host.IdentityNullOrEmpty,$Cmdlet"
        }
        It 'from an empty pipeline are nobody for <_>' -ForEach @('Get-SmimeCertificate', 'Test-SmimeCertificate', 'Get-SmimeWeakKey', 'Get-SmimeCoverage', 'Compare-SmimeCertificate', 'Get-SmimeRecipient', 'Sync-SmimeCertificate') {
            @() | & $_ | Should -BeNullOrEmpty
        }
        It 'bind from objects by their properties' {
            ([pscustomobject]@{ Mail = $good.primary_smtp_address } | Get-SmimeCertificate)[0].Identity | Should -Be $good.identity
            (Get-SmimeRecipient $good.primary_smtp_address | Get-SmimeCertificate)[0].Identity | Should -Be $good.identity
            (Get-SmimeCertificate $good.identity | Get-SmimeRecipient)[0].Identity | Should -Be $good.recipient
            ([guid]$good.identity | Get-SmimeCertificate)[0].Identity | Should -Be $good.identity
        }
        It 'do not bind from objects that name nobody' {
            Get-Item $TestDrive | Get-SmimeCertificate -ErrorVariable failures -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $failures[0].FullyQualifiedErrorId | Should -Be 'SmimeSync.Host.IdentityUnknown,Get-SmimeCertificate'
        }
        It 'that do not exist are an error each, and the others come out' {
            $found = 'nobody@contoso.com', $good.primary_smtp_address | Get-SmimeCertificate -ErrorVariable failures -ErrorAction SilentlyContinue
            $found[0].Identity | Should -Be $good.identity
            $failures[0].FullyQualifiedErrorId | Should -Be 'SmimeSync.Directory.NotFound,Get-SmimeCertificate'
            $failures[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
            $found = 'nobody@contoso.com', $good.primary_smtp_address | Get-SmimeRecipient -ErrorVariable failures -ErrorAction SilentlyContinue
            $found.Identity | Should -Be $good.recipient
            $failures[0].FullyQualifiedErrorId | Should -Be 'SmimeSync.Exchange.NotFound,Get-SmimeRecipient'
        }
    }

    Context 'judging' {
        It 'comes to the verdicts that were expected' {
            $verdicts = Test-SmimeCertificate $good.primary_smtp_address
            $verdicts[0].Encrypt | Should -Be $good.values[0].encrypt
            $verdicts[0].Sign | Should -Be $good.values[0].sign
        }
        It 'judges what is piped from Get-SmimeCertificate alike, with its person' {
            $expired = @($people | Where-Object recipe -eq 'expired_smime')[0]
            $piped = Get-SmimeCertificate $good.identity, $expired.primary_smtp_address | Test-SmimeCertificate
            ($piped | Where-Object Person -eq $good.identity).Encrypt | Should -Be 'fit'
            ($piped | Where-Object Person -eq $expired.identity).Findings.Code | Should -Contain 'expired'
        }
        It 'judges files and certificates without a session' {
            $der = (Get-SmimeCertificate $good.primary_smtp_address | Select-Object -First 1).GetDer()
            $file = Join-Path $TestDrive 'good.cer'
            [System.IO.File]::WriteAllBytes($file, $der)
            Disconnect-SmimeSync
            $trust = @{ TrustAnchor = (Join-Path $folder 'roots.pem'); Intermediate = (Join-Path $folder 'intermediates.pem'); RevocationMode = 'Off'; EmailAddress = $good.primary_smtp_address; At = [datetime]'2026-11-20Z' }
            (Test-SmimeCertificate -Path $file @trust).Encrypt | Should -Be 'fit'
            (Get-Item $file | Test-SmimeCertificate @trust).Encrypt | Should -Be 'fit'
            (Test-SmimeCertificate -Certificate ([System.Security.Cryptography.X509Certificates.X509Certificate2]::new($der)) @trust).Encrypt | Should -Be 'fit'
            # authorities that are trusted by themselves need no list, so nothing is fetched for them
            $online = Test-SmimeCertificate -Path $trust.TrustAnchor -TrustAnchor $trust.TrustAnchor -RevocationMode Online -WarningVariable said -WarningAction SilentlyContinue
            @($online).Subject | Should -Not -BeNullOrEmpty
            $said | Should -BeNullOrEmpty
            { Test-SmimeCertificate -Path (Join-Path $TestDrive 'nowhere.cer') @trust -ErrorAction Stop } | Should -Throw -ErrorId 'SmimeSync.Config.FileNotFound,Test-SmimeCertificate'
            Connect-SmimeSync -Configuration $configuration
        }
        It 'holds certificates against a profile of the Baseline Requirements when asked to' {
            $codes = { @($args[0].Findings | ForEach-Object Code | Where-Object { $_ -like 'lint_*' }) }
            & $codes (Test-SmimeCertificate $good.primary_smtp_address)[0] | Should -BeNullOrEmpty
            & $codes (Test-SmimeCertificate $good.primary_smtp_address -LintProfile Mailbox_Strict)[0] | Should -Not -BeNullOrEmpty
            { Test-SmimeCertificate $good.primary_smtp_address -LintProfile mailbox -ErrorAction Stop } | Should -Throw -ErrorId 'SmimeSync.Host.OptionValue,Test-SmimeCertificate'
        }
        It 'asks what the tenant would say when its collection of authorities is handed in' {
            $codes = { @($args[0].Findings | ForEach-Object Code) }
            & $codes (Test-SmimeCertificate $good.primary_smtp_address)[0] | Should -Not -Contain 'tenant_chain'
            & $codes (Test-SmimeCertificate $good.primary_smtp_address -SstPath (Join-Path $folder 'intermediates.pem'))[0] | Should -Contain 'tenant_chain'
            { Test-SmimeCertificate $good.primary_smtp_address -SstPath (Join-Path $TestDrive 'nowhere.sst') -ErrorAction Stop } | Should -Throw -ErrorId 'SmimeSync.Config.FileNotFound,Test-SmimeCertificate'
        }
        It 'takes the answer of an OCSP responder' -Skip:(-not $hasOpenssl) {
            $here = Join-Path $TestDrive 'ocsp'
            New-Item $here -ItemType Directory | Out-Null
            Push-Location $here
            try {
                $sections = '[req]', 'distinguished_name = name', '[name]', '[root]', 'basicConstraints = critical, CA:true', 'keyUsage = critical, keyCertSign, cRLSign',
                    '[ann]', 'subjectAltName = email:ann@contoso.com', 'keyUsage = critical, digitalSignature, keyAgreement', 'extendedKeyUsage = emailProtection'
                Set-Content -Path made.cnf -Value $sections
                $made = '-config', 'made.cnf', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'
                & openssl req -x509 @made -extensions root -subj /CN=Root -days 90 -keyout root.key -out root.pem 2>$null
                & openssl req -x509 @made -extensions ann -subj /CN=Ann -days 60 -CA root.pem -CAkey root.key -set_serial 4711 -keyout ann.key -out ann.pem 2>$null
                & openssl ocsp -issuer root.pem -cert ann.pem -no_nonce -reqout request.der 2>$null | Out-Null
                $lines = @{ good = "V`t491231235959Z`t`t1267`tunknown`t/CN=Ann"; revoked = "R`t491231235959Z`t260101000000Z,keyCompromise`t1267`tunknown`t/CN=Ann" }
                foreach ($name in $lines.Keys) {
                    Set-Content -Path index.txt -Value $lines[$name]
                    & openssl ocsp -index index.txt -CA root.pem -rsigner root.pem -rkey root.key -reqin request.der -ndays 1 -respout "$name.der" 2>$null | Out-Null
                }
                $trust = @{ Path = 'ann.pem'; TrustAnchor = 'root.pem'; RevocationMode = 'Offline'; EmailAddress = 'ann@contoso.com'; At = [datetime]::UtcNow }
                (Test-SmimeCertificate @trust).Encrypt | Should -Be 'undetermined'
                (Test-SmimeCertificate @trust -OcspResponse good.der).Encrypt | Should -Be 'fit'
                $revoked = Test-SmimeCertificate @trust -OcspResponse good.der, revoked.der
                $revoked.Encrypt | Should -Be 'unfit'
                $revoked.Findings.Code | Should -Contain 'revoked'
                { Test-SmimeCertificate @trust -OcspResponse root.pem -ErrorAction Stop } | Should -Throw -ErrorId 'SmimeSync.Trust.Unreadable,Test-SmimeCertificate'
            }
            finally { Pop-Location }
        }
    }

    Context 'keys that should not exist' {
        It 'are those that several people of the company have, told with whom' {
            $keys = Get-SmimeCertificate -ResultSize Unlimited | Where-Object { $_.GetDer() -and $_.Usages -notcontains 'keyCertSign' } | ForEach-Object {
                $parsed = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($_.GetDer())
                if (-not ($parsed.Extensions | Where-Object { $_.Oid.Value -eq '2.5.29.19' -and $_.CertificateAuthority })) {
                    [pscustomobject]@{ Key = $parsed.GetPublicKeyString(); Identity = $_.Identity; Thumbprint = $_.Thumbprint }
                }
            }
            $shared = @($keys | Group-Object Key | Where-Object { @($_.Group.Identity | Sort-Object -Unique).Count -gt 1 })
            $shared.Count | Should -BeGreaterThan 0
            $weak = @(Get-SmimeWeakKey -ErrorAction SilentlyContinue | Where-Object Weakness -in 'shared_modulus', 'shared_key')
            ($weak.Thumbprint | Sort-Object -Unique) -join ' ' | Should -Be (($shared.Group.Thumbprint | Sort-Object -Unique) -join ' ')
            $with = @($shared[0].Group.Identity | Sort-Object -Unique)
            $row = @($weak | Where-Object { $_.Person -eq $with[0] -and $_.Thumbprint -in $shared[0].Group.Thumbprint })[0]
            ($row.SharedWith | Sort-Object) -join ' ' | Should -Be (($with | Where-Object { $_ -ne $with[0] }) -join ' ')
            $row.Severity | Should -Be 'block'
            $row.Remedy | Should -Not -BeNullOrEmpty
        }
        It 'are looked for in files and certificates, and one person shares with nobody' {
            $der = (Get-SmimeCertificate $good.primary_smtp_address | Select-Object -First 1).GetDer()
            $file = Join-Path $TestDrive 'key.cer'
            [System.IO.File]::WriteAllBytes($file, $der)
            Get-SmimeWeakKey -Path $file | Should -BeNullOrEmpty
            Get-Item $file | Get-SmimeWeakKey | Should -BeNullOrEmpty
            Get-SmimeWeakKey -Certificate ([System.Security.Cryptography.X509Certificates.X509Certificate2]::new($der)) | Should -BeNullOrEmpty
            $good.primary_smtp_address | Get-SmimeWeakKey | Should -BeNullOrEmpty
            { Get-SmimeWeakKey -Path (Join-Path $TestDrive 'nowhere.cer') } | Should -Throw -ErrorId 'SmimeSync.Config.FileNotFound,Get-SmimeWeakKey'
        }
    }

    Context 'comparing and synchronising' {
        It 'plans what was expected, without equal ones unless asked' {
            @(Compare-SmimeCertificate | Where-Object Action -in 'set', 'clear').Count | Should -Be $changes.Count
            Compare-SmimeCertificate | Where-Object Action -eq 'none' | Should -BeNullOrEmpty
            Compare-SmimeCertificate -IncludeEqual | Where-Object Action -eq 'none' | Should -Not -BeNullOrEmpty
        }
        It 'writes nothing with -WhatIf and says planned' {
            $rows = Sync-SmimeCertificate $good.primary_smtp_address -WhatIf
            $rows.Result | Should -Be 'planned'
            (Get-SmimeRecipient $good.recipient).Certificates.Count | Should -Be 0
        }
        It 'writes nothing with -Staging' {
            $rows = Sync-SmimeCertificate $good.primary_smtp_address -Staging
            $rows | Where-Object Action -eq 'set' | ForEach-Object { $_.Result | Should -Be 'planned' }
            (Get-SmimeRecipient $good.recipient).Certificates.Count | Should -Be 0
        }
        It 'writes nothing where nobody can be asked, and says so once' {
            $said = Invoke-Child 'try { Sync-SmimeCertificate } catch { "id=" + $_.FullyQualifiedErrorId }'
            @($said) -match '^id=' | Should -Be 'id=SmimeSync.Host.CannotPrompt,Sync-SmimeCertificate'
            Get-SmimeRecipient | Where-Object { $_.Certificates.Count } | ForEach-Object { $_.PrimarySmtpAddress } | Should -Not -Contain $good.primary_smtp_address
        }
        It 'tells who cannot be encrypted to, why, and what mends it' {
            $before = Get-SmimeCoverage $good.primary_smtp_address
            $before | Should -BeOfType SmimeSync.Coverage
            "$($before.Encrypt) $($before.BlockedBy) $($before.InExchange)" | Should -Be 'fit not_published False'
            $before.Thumbprint | Should -Be $good.values[0].thumbprint
            $before.Remedy | Should -Not -BeNullOrEmpty
            @(Get-SmimeCoverage).Count | Should -Be $people.Count
            ($before | Get-SmimeCertificate)[0].Identity | Should -Be $good.identity
            ($before | Get-SmimeRecipient).Identity | Should -Be $good.recipient
            (Get-SmimeCoverage 'nobody@contoso.com', $good.identity -ErrorVariable failures -ErrorAction SilentlyContinue).Person | Should -Be $good.identity
            $failures[0].FullyQualifiedErrorId | Should -Be 'SmimeSync.Directory.NotFound,Get-SmimeCoverage'
        }
        It 'does just the changes of Compare-SmimeCertificate that are piped in' {
            $rows = Compare-SmimeCertificate | Where-Object PrimarySmtpAddress -eq $good.primary_smtp_address | Sync-SmimeCertificate -Confirm:$false
            $rows.Result | Should -Be 'applied'
            (Get-SmimeRecipient $good.recipient).Certificates.Thumbprint | Should -Be $good.values[0].thumbprint
            $covered = Get-SmimeCoverage $good.primary_smtp_address
            "$($covered.BlockedBy) $($covered.InExchange)" | Should -Be ' True'
            @(Compare-SmimeCertificate | Where-Object Action -in 'set', 'clear').Count | Should -Be ($changes.Count - 1)
        }
        It 'does the rest, and nothing a second time' {
            $rows = Sync-SmimeCertificate -Confirm:$false
            $rows | Where-Object { $_.Action -in 'set', 'clear' -and $_.Result -ne 'applied' } | Should -BeNullOrEmpty
            @($rows | Where-Object Result -eq 'applied').Count | Should -Be ($changes.Count - 1)
            $rows | Where-Object Action -eq 'skip' | ForEach-Object { $_.Result | Should -Be 'skipped'; $_.Reason | Should -Not -BeNullOrEmpty }
            Sync-SmimeCertificate -Confirm:$false | Where-Object Result -eq 'applied' | Should -BeNullOrEmpty
        }
        It 'looks at what changed since, and at everybody where asked' {
            Compare-SmimeCertificate -IncludeEqual | Where-Object Action -eq 'none' | Should -BeNullOrEmpty
            @(Get-SmimeSyncRun -Last 1)[0].PolicyType | Should -Be 'delta'
            Compare-SmimeCertificate -IncludeEqual -PolicyType Initial | Where-Object Action -eq 'none' | Should -Not -BeNullOrEmpty
            @(Get-SmimeSyncRun -Last 1)[0].PolicyType | Should -Be 'initial'
            $changed = @(Get-SmimeCertificate -ResultSize Unlimited -PolicyType Delta)
            $changed.Count | Should -BeLessThan @(Get-SmimeCertificate -ResultSize Unlimited).Count
            $changed.Identity | Should -Not -Contain $good.identity
        }
        It 'keeps it on record' {
            $runs = Get-SmimeSyncRun
            @(Get-SmimeSyncRun -Last 1).Count | Should -Be 1
            ($runs | Measure-Object Changed -Sum).Sum | Should -BeGreaterOrEqual $changes.Count
            # a run that only looked has the same counts as one that wrote
            ($runs | Where-Object Staging)[0] | Format-Table | Out-String | Should -Match 'Staging.*\n.*\n.*\bTrue\b'
            $runs | Get-SmimeSyncChange | Format-Table | Out-String | Should -Match "Run: $($runs[0].Run)\b"
            $applied = Get-SmimeSyncRun | Get-SmimeSyncChange | Where-Object { $_.Result -eq 'applied' -and $_.PrimarySmtpAddress -eq $good.primary_smtp_address }
            @($applied).Count | Should -Be 1
            $applied.AfterValues[0].GetBytes().Length | Should -BeGreaterThan 500
            $failure = { Get-SmimeSyncRun -Run 999999 } | Should -Throw -PassThru
            $failure.FullyQualifiedErrorId | Should -Be 'SmimeSync.Store.RunNotFound,Get-SmimeSyncRun'
        }
    }

    Context 'stopping' {
        It 'cancels on Ctrl+C, reaches finally, and leaves the session usable' -Skip:(-not $canInterrupt) {
            $state = Get-Content (Join-Path $folder 'tenant.json') -Raw | ConvertFrom-Json
            $state | Add-Member switches @{ faults = @(@{ fault = @{ slow = @{ ms = 20000; when = 'before' } }; count = 100; endpoint = 'admin' }) } -Force
            $slow = Join-Path $folder 'slow.json'
            [System.IO.File]::WriteAllText($slow, (ConvertTo-Json $state -Depth 12))
            $tenants += Start-Tenant $slow (Join-Path $TestDrive 'slow-ready') (Join-Path $folder 'slow-saved.json')
            Write-Configuration (Join-Path $folder 'slow-config.json') (Join-Path $TestDrive 'slow-ready') 'slow.db'
            $script = Join-Path $TestDrive 'interrupted.ps1'
            [System.IO.File]::WriteAllText($script, "Import-Module '$manifest' -ArgumentList '$library'`nConnect-SmimeSync -Configuration '$folder/slow-config.json'`n`$code = 30`ntry { 'started'; Get-SmimeRecipient; `$code = 0 } finally { exit `$code }")
            $out = Join-Path $TestDrive 'interrupted.txt'
            $child = Start-Process $shell -ArgumentList '-NoProfile', '-NonInteractive', '-File', $script -PassThru -RedirectStandardOutput $out -RedirectStandardError "$out.err"
            for ($try = 0; $try -lt 300 -and -not ((Test-Path $out) -and (Get-Content $out -Raw) -match 'started'); $try++) { Start-Sleep -Milliseconds 100 }
            Start-Sleep -Milliseconds 500
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            & kill -INT $child.Id
            $child.WaitForExit(15000) | Should -BeTrue
            $clock.ElapsedMilliseconds | Should -BeLessThan 10000
            $child.ExitCode | Should -Be 30
            Stop-Process -Id $tenants[-1].Id
        }
        It 'closes at the end without being told' {
            Invoke-Child '$null = Get-SmimeCertificate; "done"' | Should -Be 'done'
        }
        It 'names a closed port' {
            Stop-Process -Id $tenants[0].Id
            $tenants[0].WaitForExit()
            $failure = { Get-SmimeRecipient } | Should -Throw -ErrorId 'SmimeSync.Exchange.Unreachable,Get-SmimeRecipient' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'ConnectionError'
            $failure.Exception.IsTransient | Should -BeTrue
        }
    }
}
