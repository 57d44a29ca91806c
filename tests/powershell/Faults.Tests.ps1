# The cmdlets on bad input, held to the same table as the other hosts (../hosts/faults.json).
#   SMIMESYNC_LIBRARY, SMIMESYNC_COMPANY, SMIMESYNC_TENANT, SMIMESYNC_POOL as for Behaviour.Tests.ps1

BeforeDiscovery {
    $canStage = $env:SMIMESYNC_COMPANY -and $env:SMIMESYNC_TENANT -and (Get-Command python3 -ErrorAction Ignore)
    $faults = Get-Content (Join-Path $PSScriptRoot '../hosts/faults.json') -Raw | ConvertFrom-Json | ForEach-Object { @{ Name = $_.name } }
}

Describe 'bad input' -Skip:(-not $canStage) {
    BeforeAll {
        $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
        Import-Module (Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1') -Force -ArgumentList ([System.IO.Path]::GetFullPath($env:SMIMESYNC_LIBRARY))
        $script = Join-Path $root 'tests/hosts/faults.py'
        $stage = Join-Path $TestDrive 'stage'
        $null = New-Item $stage -ItemType Directory
        $process = Start-Process python3 -ArgumentList $script, 'stage', $stage -PassThru
        $list = Join-Path $stage 'cases.json'
        for ($try = 0; $try -lt 600 -and -not (Test-Path $list) -and -not $process.HasExited; $try++) { Start-Sleep -Milliseconds 100 }
        $cases = Get-Content $list -Raw | ConvertFrom-Json
        $cmdlets = @{ sync = 'Sync-SmimeCertificate'; recipients = 'Get-SmimeRecipient' }
    }

    AfterAll {
        Disconnect-SmimeSync
        $null = New-Item (Join-Path $stage 'stop') -ItemType File
        $process.WaitForExit(30000)
    }

    It '<Name> is one error with code, category and target' -ForEach $faults {
        $case = $cases | Where-Object name -eq $Name
        if ($case.skip) { Set-ItResult -Skipped -Because $case.skip }
        $arguments = @{ ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failures' }
        if ($case.identities) { $arguments.Identity = $case.identities }
        if ($case.verb -eq 'sync') { $arguments.Confirm = $false }
        $failures = $null
        try {
            Connect-SmimeSync -Configuration $case.config
            $null = & $cmdlets[$case.verb] @arguments
        }
        catch { $failures = @($_) }
        @($failures).Count | Should -Be 1
        $failures[0].Exception | Should -BeOfType SmimeSync.NativeException
        $failures[0].Exception.Code | Should -Be $case.expected.code
        $failures[0].Exception.Category | Should -Be $case.expected.category
        $failures[0].TargetObject | Should -Be $case.expected.target
        $failures[0].FullyQualifiedErrorId | Should -Match '^SmimeSync\.\w+\.\w+,'
        $failures[0].Exception.Message | Should -Not -Match '\n'
    }

    It 'leaves nothing half-written and takes nothing away' {
        Disconnect-SmimeSync
        & python3 $script verify $stage | Should -Be 'ok verify'
    }
}
