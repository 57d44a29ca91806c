# The script for a live tenant, on the tenant's double. SMIMESYNC_TENANT names the double's program.

BeforeDiscovery { $hasProgram = [bool] $env:SMIMESYNC_TENANT }

BeforeAll {
    $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
    $script = Join-Path $root 'tools/Test-LiveTenant.ps1'
    $ready = Join-Path $TestDrive 'live-ready'
    $mailbox = { param($Number, $Synced, $Values) @{
            guid = "00000000-0000-4000-8000-00000000000$Number"; recipient_type_details = 'UserMailbox'; display_name = "u$Number"
            primary_smtp_address = "u$Number@contoso.com"; email_addresses = @("SMTP:u$Number@contoso.com"); is_dir_synced = $Synced; user_certificate = $Values
        } }
    $state = @{
        tenant = @{ id = '11111111-2222-4333-8444-555555555555'; domain = 'contoso.onmicrosoft.com' }
        apps = @(@{ app_id = 'aaaaaaaa-0000-4000-8000-000000000001'; secret = 'open sesame' })
        recipients = @((& $mailbox 1 $false @()), (& $mailbox 2 $true @('MIIB')), (& $mailbox 3 $false @('MIIC')))
    }
    $arguments = @{
        Organization = 'contoso.onmicrosoft.com'; AppId = 'aaaaaaaa-0000-4000-8000-000000000001'
        Secret = ConvertTo-SecureString 'open sesame' -AsPlainText -Force; Identity = '00000000-0000-4000-8000-000000000001'; Confirm = $false
    }
    if ($env:SMIMESYNC_TENANT) {
        $file = Join-Path $TestDrive 'live.json'
        [System.IO.File]::WriteAllText($file, (ConvertTo-Json $state -Depth 5))
        $tenant = Start-Process $env:SMIMESYNC_TENANT -ArgumentList '--state', $file, '--ready', $ready -PassThru
        for ($try = 0; $try -lt 100 -and -not ((Test-Path $ready) -and (Get-Item $ready).Length); $try++) { Start-Sleep -Milliseconds 100 }
        $url = (Get-Content $ready -Raw | ConvertFrom-Json).http
        $arguments += @{ AdminUrl = $url; AuthorityUrl = $url }
    }
    function Get-Held { @((Invoke-RestMethod "$url/control/state").recipients.user_certificate | Where-Object { $_ }) }
}

AfterAll { if ($env:SMIMESYNC_TENANT) { Stop-Process -Id $tenant.Id -ErrorAction Ignore } }

Describe 'The script for a live tenant' -Skip:(-not $hasProgram) {
    It 'reads and changes nothing' {
        $null = Invoke-RestMethod "$url/control/reset-log" -Method Post
        $report = & $script @arguments | ConvertFrom-Json
        $report.wrote | Should -BeFalse
        $report.findings.read.forms.UserCertificate.json | Should -Be 'empty'
        $report.findings.paging.next_link | Should -BeTrue
        $report.findings.paging.get_status | Should -Be 405
        @((Invoke-RestMethod "$url/control/requests") | Where-Object cmdlet -like 'Set-*').Count | Should -Be 0
    }

    It 'writes to the test mailbox and leaves nothing behind where values show as <_>' -ForEach 'base64', 'data', 'type_name', 'clixml_only' {
        $null = Invoke-RestMethod "$url/control/switches" -Method Post -Body (ConvertTo-Json @{ read_back = $_ })
        $text = & $script @arguments -Write -SyncedIdentity 00000000-0000-4000-8000-000000000002
        $report = $text | ConvertFrom-Json
        $report.findings.write.held | Should -Be 1
        $report.findings.order.order | Should -Be 2, 0, 1
        $report.findings.clear_by_null.held | Should -Be 0
        $report.findings.clear_by_empty_list.transformation | Should -BeTrue
        $report.findings.values_64.held | Should -Be 64
        $report.findings.synced.refusal.on_premises | Should -BeTrue
        $report.findings.left_behind | Should -Be 0
        Get-Held | Should -Be 'MIIB', 'MIIC'
        # nobody is named in it
        $text -join '' | Should -Not -Match 'contoso|00000000-0000|aaaaaaaa|sesame|MII'
    }

    It 'does not touch a mailbox that holds certificates' {
        $other = $arguments.Clone()
        $other.Identity = '00000000-0000-4000-8000-000000000003'
        { & $script @other -Write } | Should -Throw '*must hold none*'
        Get-Held | Should -Be 'MIIB', 'MIIC'
    }
}
