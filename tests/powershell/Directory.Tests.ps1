# Cmdlets that change the directory, on slapd with a company of 40 people.
#   SMIMESYNC_LIBRARY and SMIMESYNC_COMPANY name the library's file and the program;
#   SMIMESYNC_POOL, where set, the folder that keeps the company's keys.

BeforeDiscovery {
    $hasServer = $env:SMIMESYNC_COMPANY -and (Get-Command slapd, bash -ErrorAction Ignore | Measure-Object).Count -eq 2
}

Describe 'changing the directory' -Skip:(-not $hasServer) {
    BeforeAll {
        $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
        $script = Join-Path $root 'tests/servers/openldap.sh'
        $manifest = Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1'
        $library = [System.IO.Path]::GetFullPath($env:SMIMESYNC_LIBRARY)
        Import-Module $manifest -Force -ArgumentList $library
        $folder = Join-Path $TestDrive 'company'
        $pool = $env:SMIMESYNC_POOL
        if (-not $pool) { $pool = Join-Path $TestDrive 'pool' }
        & $env:SMIMESYNC_COMPANY make --people 40 --seed 1 --at 2026-11-20T00:00:00Z --out $folder --pool $pool | Out-Null
        $ports = 1..2 | ForEach-Object {
            $listener = [System.Net.Sockets.TcpListener]::new([System.Net.IPAddress]::Loopback, 0)
            $listener.Start(); $listener.LocalEndpoint.Port; $listener.Stop()
        }
        $server = Join-Path ([System.IO.Path]::GetTempPath()) "ol-$PID"
        $facts = @{}
        foreach ($line in (& bash $script -d $server -p $ports[0] -t $ports[1] start 2>$null)) {
            if ($line -match "^OL_(\w+)='(.*)'$") { $facts[$Matches[1]] = $Matches[2] }
        }
        # one of the people has an entry elsewhere, too
        $twin = @((Get-Content (Join-Path $folder 'expected-openldap.json') -Raw | ConvertFrom-Json).people | Where-Object recipe -eq 'good')[1].primary_smtp_address
        $entries = Join-Path $folder 'entries.ldif'
        $more = "dn: ou=partners,$($facts.BASE_DN)`nobjectClass: organizationalUnit`n`ndn: cn=Twin,ou=partners,$($facts.BASE_DN)`nobjectClass: inetOrgPerson`ncn: Twin`nsn: Twin`nmail: $twin`n"
        [System.IO.File]::WriteAllText($entries, [System.IO.File]::ReadAllText((Join-Path $folder 'people-openldap.ldif')) + "`n" + $more)
        & bash $script -d $server -p $ports[0] -t $ports[1] load-ldif $entries *> $null
        $config = Get-Content (Join-Path $folder 'company.json') -Raw | ConvertFrom-Json -DateKind String
        $config | Add-Member directory @{
            urls = @($facts.LDAPS_URL); base = $facts.BASE_DN; ca_files = @($facts.CA_FILE)
            bind = @{ user = $facts.ADMIN_DN; password = $facts.ADMIN_PASSWORD }
        }
        $config | Add-Member store @{ path = 'directory.db' }
        $config | Add-Member guard @{ max_removals_percent = 100; max_people_losing_last_percent = 100 } -Force
        [System.IO.File]::WriteAllText((Join-Path $folder 'directory.json'), (ConvertTo-Json $config -Depth 8))
        Connect-SmimeSync -Configuration (Join-Path $folder 'directory.json')
        function Get-Expired { @(Get-SmimeCertificate | Where-Object { $_.NotAfter -and $_.NotAfter -lt [datetime]::new(2026, 11, 20, 0, 0, 0, [System.DateTimeKind]::Utc) }) }
    }
    AfterAll {
        Disconnect-SmimeSync
        & bash $script -d $server stop *> $null
        Remove-Item $server -Recurse -Force -ErrorAction Ignore
    }

    It 'plans with -WhatIf and changes nothing' {
        $before = (Get-Expired).Count
        $before | Should -BeGreaterThan 0
        $rows = Remove-SmimeCertificate -WhatIf
        @($rows | Where-Object Result -eq 'planned').Count | Should -BeGreaterThan 0
        $rows[0] | Should -BeOfType SmimeSync.DirectoryChange
        (Get-Expired).Count | Should -Be $before
    }
    It 'writes nothing while the setting staging is on' {
        $set = { param($value) $cursor = (& (Get-Module SmimeSync) { $Script:Connection.Session }).Start('settings', "{""set"":{""staging"":$value}}"); while ($cursor.Step(1000) -ne 'Done') { }; $cursor.Error; $cursor.Dispose() }
        & $set 'true' | Should -BeNullOrEmpty
        $rows = @(Remove-SmimeCertificate -Confirm:$false)
        $rows | Where-Object Result -eq 'applied' | Should -BeNullOrEmpty
        @($rows | Where-Object Result -eq 'planned').Count | Should -BeGreaterThan 0
        & $set 'false' | Should -BeNullOrEmpty
    }
    It 'asks for each entry and makes what was agreed to' {
        $one = @(Remove-SmimeCertificate -WhatIf | Where-Object Result -eq 'planned')[0]
        $rows = Remove-SmimeCertificate $one.Person -Confirm:$false
        $rows.DistinguishedName | Should -Contain $one.DistinguishedName
        $rows | Where-Object Result -ne 'applied' | Should -BeNullOrEmpty
        Remove-SmimeCertificate $one.Person -WhatIf | Where-Object Result -eq 'planned' | Should -BeNullOrEmpty
    }
    It 'saves what it removes and names it on record' {
        $saved = Join-Path $folder 'saved'
        $rows = @(Remove-SmimeCertificate -BackupPath $saved -Confirm:$false | Where-Object Result -eq 'applied')
        $rows.Count | Should -BeGreaterThan 0
        $list = Get-ChildItem $saved -Recurse -Filter removed.csv | Get-Content | ConvertFrom-Csv
        @($list).Count | Should -Be ($rows | ForEach-Object { $_.Removed.Count } | Measure-Object -Sum).Sum
        $list[0].file | ForEach-Object { Get-ChildItem $saved -Recurse -Filter $_ } | Should -Not -BeNullOrEmpty
        Remove-SmimeCertificate -Confirm:$false | Where-Object Result -eq 'applied' | Should -BeNullOrEmpty
    }
    It 'publishes what is fit to whom it is for' {
        $people = (Get-Content (Join-Path $folder 'expected-openldap.json') -Raw | ConvertFrom-Json).people
        $good = @($people | Where-Object recipe -eq 'good')[0]
        $certificate = @(Get-SmimeCertificate $good.primary_smtp_address)[0]
        $file = Join-Path $folder 'one.cer'
        [System.IO.File]::WriteAllBytes($file, $certificate.GetDer())
        $rows = Publish-SmimeCertificate -Path $file -AsContainer -Confirm:$false
        $rows.Attribute | Should -Be 'userSMIMECertificate'
        $rows.Result | Should -Be 'applied'
        (Publish-SmimeCertificate -Path $file -Confirm:$false).Action | Should -Be 'none'
    }
    It 'writes what it reads as LDIF and reads that back' {
        $file = Join-Path $folder 'written.ldif'
        $people = Get-SmimeCertificate -LdifPath $file
        $failure = { Get-SmimeCertificate -LdifPath $file } | Should -Throw -ErrorId 'SmimeSync.Host.FileExists,Get-SmimeCertificate' -PassThru
        $failure.ErrorDetails.RecommendedAction | Should -Match '-Overwrite'
        Get-SmimeCertificate -LdifPath $file -Overwrite | Out-Null
        Connect-SmimeSync -LdifPath $file
        $back = Get-SmimeCertificate -ResultSize Unlimited
        ($back | ForEach-Object Sha256 | Sort-Object) -join ' ' | Should -Be (($people | ForEach-Object Sha256 | Sort-Object) -join ' ')
        Connect-SmimeSync -Configuration (Join-Path $folder 'directory.json')
    }
    It 'shows a client certificate, and says what is wrong with its file' {
        $parameters = @{ DirectoryUrl = $facts.LDAPS_URL; Base = $facts.BASE_DN; DirectoryCaFile = $facts.CA_FILE }
        $pfx = Join-Path $root 'tests/data/sign_in/modern.pfx'
        $password = ConvertTo-SecureString 'pässwörd +&%' -AsPlainText -Force
        $credential = [pscredential]::new($facts.SYNC_DN, (ConvertTo-SecureString $facts.SYNC_PASSWORD -AsPlainText -Force))
        Connect-SmimeSync @parameters -DirectoryCertificateFilePath $pfx -DirectoryCertificatePassword $password -Credential $credential
        @(Get-SmimeCertificate -ResultSize 1 -WarningAction SilentlyContinue).Count | Should -BeGreaterThan 0
        # slapd was told nothing of clients' authorities, so nobody binds by the certificate alone
        Connect-SmimeSync @parameters -DirectoryCertificateFilePath $pfx -DirectoryCertificatePassword $password
        { Get-SmimeCertificate } | Should -Throw -ErrorId 'SmimeSync.Directory.Auth,Get-SmimeCertificate'
        Connect-SmimeSync @parameters -DirectoryCertificateFilePath $pfx
        $failure = { Get-SmimeCertificate } | Should -Throw -ErrorId 'SmimeSync.Directory.Certificate,Get-SmimeCertificate' -PassThru
        $failure.TargetObject | Should -Be $pfx
        Connect-SmimeSync -Configuration (Join-Path $folder 'directory.json')
    }
    It 'binds as whom -Credential names, also beside a file that names another' {
        $credential = [pscredential]::new($facts.SYNC_DN, (ConvertTo-SecureString $facts.SYNC_PASSWORD -AsPlainText -Force))
        foreach ($bind in @{}, @{ user = 'cn=other,dc=example,dc=test' }) {
            $settings = Get-Content (Join-Path $folder 'directory.json') -Raw | ConvertFrom-Json -AsHashtable -DateKind String
            $settings.directory.bind = $bind
            $path = Join-Path $folder 'credential.json'
            [System.IO.File]::WriteAllText($path, (ConvertTo-Json $settings -Depth 8))
            Connect-SmimeSync -Configuration $path -Credential $credential
            (Test-SmimeSyncConnection -Target Directory | Where-Object Step -eq 'bind').Result | Should -Be 'pass'
        }
        # to one of several directories no password goes that may be meant for another
        $settings.Remove('directory')
        $settings.directories = @(@{ urls = @($facts.LDAPS_URL); base = 'ou=a' }, @{ urls = @($facts.LDAPS_URL); base = 'ou=b' })
        [System.IO.File]::WriteAllText($path, (ConvertTo-Json $settings -Depth 8))
        { Connect-SmimeSync -Configuration $path -Credential $credential } | Should -Throw -ErrorId 'SmimeSync.Config.Value,Connect-SmimeSync'
        Connect-SmimeSync -Configuration (Join-Path $folder 'directory.json')
    }
    It 'asks for each entry of a person whom several directories have, and writes the one agreed to' {
        $settings = Get-Content (Join-Path $folder 'directory.json') -Raw | ConvertFrom-Json -AsHashtable -DateKind String
        $first = $settings.directory
        $second = $first.Clone()
        $first.base = "ou=people,$($facts.BASE_DN)"
        $second.base = "ou=partners,$($facts.BASE_DN)"
        $settings.Remove('directory')
        $settings.directories = @($first, $second)
        $settings.store = @{ path = 'several.db' }
        $path = Join-Path $folder 'several.json'
        [System.IO.File]::WriteAllText($path, (ConvertTo-Json $settings -Depth 8))
        Connect-SmimeSync -Configuration $path
        (Get-SmimeSyncConnection).Base | Should -Be "$($first.base); $($second.base)"
        $file = Join-Path $folder 'twin.cer'
        [System.IO.File]::WriteAllBytes($file, @(Get-SmimeCertificate $twin)[0].GetDer())
        $planned = @(Publish-SmimeCertificate -Path $file -AsContainer -WhatIf)
        $planned.Count | Should -Be 2
        ($planned | Format-Table | Out-String) | Should -Match "(?s)Directory: $($first.base).*Directory: $($second.base)"
        ($planned.DistinguishedName | Where-Object { $_ -like "*,$($second.base)" }).Count | Should -Be 1
        # a PowerShell of its own, whose user says no to the first question and yes to the second one
        $script = Join-Path $folder 'ask.ps1'
        [System.IO.File]::WriteAllText($script, "Import-Module '$manifest' -ArgumentList '$library'`nConnect-SmimeSync -Configuration '$path'`nPublish-SmimeCertificate -Path '$file' -AsContainer | ForEach-Object { '{0} {1}' -f `$_.Result, `$_.DistinguishedName }")
        $said = "N`nY`n" | & (Get-Process -Id $PID).Path -NoProfile -File $script
        $said | Should -Contain "planned $($planned[0].DistinguishedName)"
        $said | Should -Contain "applied $($planned[1].DistinguishedName)"
        @(Publish-SmimeCertificate -Path $file -AsContainer -WhatIf | Where-Object Action -eq 'set').DistinguishedName | Should -Be $planned[0].DistinguishedName
        Connect-SmimeSync -Configuration (Join-Path $folder 'directory.json')
    }
    It 'takes no nothing for everybody: <Name>' -ForEach @(
        @{ Name = 'null'; Call = { Remove-SmimeCertificate $null } }
        @{ Name = 'empty text'; Call = { Remove-SmimeCertificate '' } }
        @{ Name = 'an empty list'; Call = { Remove-SmimeCertificate @() } }
    ) {
        $Call | Should -Throw -ErrorId 'SmimeSync.Host.IdentityNullOrEmpty,Remove-SmimeCertificate'
        @() | Remove-SmimeCertificate | Should -BeNullOrEmpty
    }
}
