# The authorities that the tenant should trust, on a company of 40 people and the tenant's double.
#   SMIMESYNC_LIBRARY, SMIMESYNC_COMPANY, SMIMESYNC_TENANT name the library's file and the two programs;
#   SMIMESYNC_POOL, where set, the folder that keeps the company's keys.

BeforeDiscovery {
    $hasPrograms = $env:SMIMESYNC_COMPANY -and $env:SMIMESYNC_TENANT
}

Describe 'authorities without a session' {
    BeforeAll {
        $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
        Import-Module (Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1') -Force -ArgumentList ([System.IO.Path]::GetFullPath($env:SMIMESYNC_LIBRARY))
        Disconnect-SmimeSync
    }
    It '<_> says so' -ForEach @('Export-SmimeIssuingCertificate', 'Publish-SmimeIssuingCertificate') {
        { & $_ } | Should -Throw -ErrorId "SmimeSync.Host.NotConnected,$_"
    }
}

Describe 'authorities' -Skip:(-not $hasPrograms) {
    BeforeAll {
        $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
        Import-Module (Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1') -Force -ArgumentList ([System.IO.Path]::GetFullPath($env:SMIMESYNC_LIBRARY))
        $folder = Join-Path $TestDrive 'company'
        $pool = $env:SMIMESYNC_POOL
        if (-not $pool) { $pool = Join-Path $TestDrive 'pool' }
        & $env:SMIMESYNC_COMPANY make --people 40 --seed 1 --at 2026-11-20T00:00:00Z --out $folder --pool $pool | Out-Null
        $ready = Join-Path $TestDrive 'ready-issuers'
        $tenant = Start-Process $env:SMIMESYNC_TENANT -ArgumentList '--state', (Join-Path $folder 'tenant.json'), '--ready', $ready -PassThru
        for ($try = 0; $try -lt 100 -and -not ((Test-Path $ready) -and (Get-Item $ready).Length); $try++) { Start-Sleep -Milliseconds 100 }
        $url = (Get-Content $ready -Raw | ConvertFrom-Json).http
        $config = Get-Content (Join-Path $folder 'company.json') -Raw | ConvertFrom-Json -DateKind String
        $config | Add-Member directory @{ kind = 'ldif'; path = 'people.ldif' }
        $config | Add-Member store @{ path = 'issuers.db' }
        $config.exchange | Add-Member admin_url $url
        $config.exchange | Add-Member authority_url $url
        [System.IO.File]::WriteAllText((Join-Path $folder 'issuers.json'), (ConvertTo-Json $config -Depth 8))
        Connect-SmimeSync -Configuration (Join-Path $folder 'issuers.json')
        # An SST by its format: a header, entries of id, encoding, length and content, twelve bytes of zero.
        function Get-Entry([byte[]] $Store) {
            $at = 8
            while (($id = [System.BitConverter]::ToUInt32($Store, $at)) -ne 0) {
                $length = [System.BitConverter]::ToUInt32($Store, $at + 8)
                if ($id -eq 0x20) { , [byte[]] $Store[($at + 12)..($at + 11 + $length)] }
                $at += 12 + $length
            }
        }
    }
    AfterAll {
        Disconnect-SmimeSync
        Stop-Process -Id $tenant.Id -ErrorAction Ignore
    }

    It 'lists what people need and changes nothing' {
        $rows = @(Export-SmimeIssuingCertificate)
        $rows.Count | Should -BeGreaterThan 1
        $rows[0] | Should -BeOfType SmimeSync.IssuingCertificate
        $rows | Where-Object { $_.InTenant -or $_.Action -ne 'add' -or $_.NeededBy -lt 1 } | Should -BeNullOrEmpty
        Get-SmimeSyncRun | Should -BeNullOrEmpty
        ($rows | Format-Table | Out-String) | Should -Match 'NeededBy'
    }
    It 'writes them to a file that .NET reads' {
        $path = Join-Path $TestDrive 'tenant.sst'
        Push-Location $TestDrive
        try { $rows = @(Export-SmimeIssuingCertificate -Path tenant.sst) } finally { Pop-Location }
        $entries = @(Get-Entry ([System.IO.File]::ReadAllBytes($path)))
        $entries.Count | Should -Be $rows.Count
        $thumbprints = foreach ($entry in $entries) { [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($entry).Thumbprint }
        ($thumbprints | Sort-Object) | Should -Be ($rows.Thumbprint | Sort-Object)
    }
    It 'uploads nothing with -WhatIf' {
        $rows = @(Publish-SmimeIssuingCertificate -WhatIf)
        @($rows | Where-Object Action -eq 'add').Count | Should -Be $rows.Count
        $rows | Where-Object Run | Should -BeNullOrEmpty
        $rows | Where-Object Result -ne 'planned' | Should -BeNullOrEmpty
        @(Export-SmimeIssuingCertificate | Where-Object InTenant).Count | Should -Be 0
    }
    It 'uploads what is lacking, on record, and nothing the second time' {
        $rows = @(Publish-SmimeIssuingCertificate -Confirm:$false)
        $rows | Where-Object { $_.Result -ne 'applied' -or -not $_.InTenant } | Should -BeNullOrEmpty
        $run = Get-SmimeSyncRun -Last 1
        $run.Result | Should -Be 'done'
        $run.ValuesAdded | Should -Be $rows.Count
        $change = Get-SmimeSyncChange -Run $run.Run
        $change.Attribute | Should -Be 'SMIMECertificateIssuingCA'
        @(Get-Entry $change.AfterValues[0].GetBytes()).Count | Should -Be $rows.Count
        $again = @(Publish-SmimeIssuingCertificate -Confirm:$false)
        $again | Where-Object { $_.Action -ne 'none' -or $_.Result } | Should -BeNullOrEmpty
        Publish-SmimeIssuingCertificate -WhatIf | Where-Object Action -ne 'none' | Should -BeNullOrEmpty
    }
    It 'says who was not found' {
        $failed = $null
        $known = @(Get-SmimeCertificate)[0].PrimarySmtpAddress
        Export-SmimeIssuingCertificate -Identity $known, nobody@contoso.example -ErrorVariable failed -ErrorAction SilentlyContinue | Out-Null
        $failed[0].TargetObject.Person | Should -Be 'nobody@contoso.example'
        $failed[0].FullyQualifiedErrorId | Should -Be 'SmimeSync.Directory.NotFound,Export-SmimeIssuingCertificate'
    }
    It 'refuses <Name> as an identity' -ForEach @(
        @{ Name = 'null'; Call = { Publish-SmimeIssuingCertificate $null } }
        @{ Name = 'empty text'; Call = { Publish-SmimeIssuingCertificate '' } }
        @{ Name = 'an empty list'; Call = { Publish-SmimeIssuingCertificate @() } }
    ) {
        $Call | Should -Throw -ErrorId 'SmimeSync.Host.IdentityNullOrEmpty,Publish-SmimeIssuingCertificate'
        @() | Publish-SmimeIssuingCertificate | Should -BeNullOrEmpty
        @() | Export-SmimeIssuingCertificate | Should -BeNullOrEmpty
    }
}
