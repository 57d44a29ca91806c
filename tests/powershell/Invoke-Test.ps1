# Runs every *.Tests.ps1 beside it and prints a line for each test. Exit code 1 after a failure.
$PSStyle.OutputRendering = 'PlainText'
Import-Module Pester -MinimumVersion 5.0
$configuration = New-PesterConfiguration
$configuration.Run.Path = $PSScriptRoot
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'None'
$result = Invoke-Pester -Configuration $configuration
foreach ($test in $result.Tests) {
    $name = "powershell/$($test.ExpandedPath)" -replace '\s+', ' '
    switch ($test.Result) {
        'Passed' { "ok $name" }
        'Skipped' { "SKIPPED ${name}: what it needs is not there" }
        default { "FAILED ${name}: $(($test.ErrorRecord | Select-Object -First 1) -replace '\s+', ' ')" }
    }
}
foreach ($container in $result.FailedContainers) { "FAILED powershell/$(Split-Path $container.Item -Leaf): $($container.ErrorRecord[0] -replace '\s+', ' ')" }
exit [int]($result.FailedCount -gt 0 -or $result.FailedContainersCount -gt 0 -or $result.FailedBlocksCount -gt 0)
