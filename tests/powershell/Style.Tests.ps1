# The module's house rules, read from its files: no library is needed.

BeforeDiscovery {
    $module = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../../powershell/SmimeSync'))
    $public = @(Get-ChildItem (Join-Path $module 'Public') -Filter *.ps1 | ForEach-Object { @{ Name = $_.BaseName; Path = $_.FullName } })
    $scripts = @(Get-ChildItem $module -Recurse -Include *.ps1, *.psm1, *.psd1 | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } })
    $functions = @(Get-ChildItem (Join-Path $module 'Public'), (Join-Path $module 'Private') -Filter *.ps1 | ForEach-Object { @{ Name = $_.BaseName; Path = $_.FullName } })
    $files = @(Get-ChildItem $module -Recurse -File | Where-Object Extension -in '.ps1', '.psm1', '.psd1', '.ps1xml', '.txt', '.cs' | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } })
    $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
    $pages = @((Get-Item (Join-Path $root '*.md')) + (Get-ChildItem (Join-Path $root 'docs') -Filter *.md) + (Get-ChildItem (Join-Path $module 'en-US') -Filter *.txt) + (Get-ChildItem (Join-Path $module 'Public') -Filter *.ps1) | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } })
    $hasAnalyzer = [bool](Get-Module PSScriptAnalyzer -ListAvailable)
}

BeforeAll {
    $module = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../../powershell/SmimeSync'))
    # Exchange Online's own, and the module's inner functions
    $ofOthers = @('Get-SmimeConfig', 'Set-SmimeConfig') + (Get-ChildItem (Join-Path $module 'Private') -Filter *.ps1).BaseName
    $manifest = Import-PowerShellDataFile (Join-Path $module 'SmimeSync.psd1')
    $strings = Import-PowerShellDataFile (Join-Path $module 'en-US/SmimeSync.Strings.psd1')
    Import-Module (Join-Path $module 'SmimeSync.psd1') -Force

    function Read-Ast([string] $Path) {
        $errors = $null
        $ast = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref]$null, [ref]$errors)
        if ($errors) { throw $errors[0].Message }
        $ast
    }
}

Describe 'the manifest' {
    It 'is valid and for both editions' {
        Test-ModuleManifest (Join-Path $module 'SmimeSync.psd1') | Should -Not -BeNullOrEmpty
        $manifest.CompatiblePSEditions | Should -Be @('Desktop', 'Core')
        $manifest.PowerShellVersion | Should -Be '5.1'
    }
    It 'exports exactly the files of Public, and no wildcard' {
        $expected = (Get-ChildItem (Join-Path $module 'Public') -Filter *.ps1).BaseName | Sort-Object
        $manifest.FunctionsToExport | Sort-Object | Should -Be $expected
        (Get-Command -Module SmimeSync).Name | Sort-Object | Should -Be $expected
    }
}

Describe 'the function <Name>' -ForEach $functions {
    It 'is the only one of its file and has its name' {
        $found = (Read-Ast $Path).FindAll({ $args[0] -is [System.Management.Automation.Language.FunctionDefinitionAst] }, $false)
        @($found).Count | Should -Be 1
        $found[0].Name | Should -BeExactly $Name
    }
    It 'has an approved verb' {
        (Get-Verb).Verb | Should -Contain ($Name -split '-')[0]
    }
}

Describe 'the cmdlet <Name>' -ForEach $public {
    It 'has help for itself and every parameter, with examples' {
        $help = Get-Help $Name -Full
        $help.Synopsis.Trim() | Should -Not -BeNullOrEmpty
        $help.Synopsis | Should -Not -Match "^\s*$Name "
        @($help.examples.example).Count | Should -BeGreaterOrEqual 1
        foreach ($parameter in (Read-Ast $Path).Find({ $args[0] -is [System.Management.Automation.Language.ParamBlockAst] }, $true).Parameters) {
            $parameterName = $parameter.Name.VariablePath.UserPath
            (Get-Help $Name -Parameter $parameterName).Description.Text | Should -Not -BeNullOrEmpty -Because $parameterName
        }
    }
    It 'says what comes out' {
        (Get-Help $Name -Full).returnValues | Should -Not -BeNullOrEmpty
    }
}

Describe 'the script <Name>' -ForEach $scripts {
    It 'parses and has no ShouldProcess in a negated form, which fails open' {
        $ast = Read-Ast $Path
        $ast.Extent.Text | Should -Not -Match '(?i)(-not|!)\s*\(?\s*\$(PSCmdlet|Caller)\.Should'
    }
    It 'shows people no sentence of its own' {
        # Sentences live in the Strings file; what is written or thrown here is a variable.
        foreach ($call in (Read-Ast $Path).FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
            if ($call.GetCommandName() -in 'Write-Warning', 'Write-Verbose', 'Write-Error', 'Write-Host', 'Write-Progress', 'Write-Debug') {
                $call.CommandElements | Where-Object { $_ -is [System.Management.Automation.Language.StringConstantExpressionAst] -and $_.Value -match ' ' } | Should -BeNullOrEmpty
            }
        }
        foreach ($throw in (Read-Ast $Path).FindAll({ $args[0] -is [System.Management.Automation.Language.ThrowStatementAst] }, $true)) {
            $throw.Extent.Text | Should -Match '\$Script:Text\.'
        }
    }
    It 'uses only sentences that exist' {
        foreach ($match in [regex]::Matches([System.IO.File]::ReadAllText($Path), '\$Script:Text\.(\w+)')) {
            $strings.Keys | Should -Contain $match.Groups[1].Value
        }
    }
}

Describe 'the sentences' {
    It 'are all used' {
        $text = (Get-ChildItem $module -Recurse -Include *.ps1, *.psm1 | ForEach-Object { [System.IO.File]::ReadAllText($_.FullName) }) -join "`n"
        # Phase0 to Phase5 and the failures of loading are put together from a name.
        $strings.Keys | Where-Object { $_ -notmatch '^(Phase\d|Library\w+)$' -and $text -notmatch "\`$Script:Text\.$_\b" } | Should -BeNullOrEmpty
    }
    It 'name every way loading can fail' {
        foreach ($failure in [System.Enum]::GetNames([SmimeSync.LoadFailure])) {
            if ($failure -ne 'None') { $strings.Keys | Should -Contain "Library$failure" }
        }
    }
}

Describe 'the file <Name>' -ForEach $files {
    It 'is ASCII, without tabs, trailing spaces or carriage returns' {
        $text = [System.IO.File]::ReadAllText($Path)
        $text | Should -Not -Match '[^\x0A\x20-\x7E]'
        $text | Should -Not -Match '(?m) $'
        $text | Should -Match '\n\z'
    }
}

Describe 'what is generated' {
    It 'is as src/error.rs makes it' {
        & (Join-Path $PSScriptRoot 'Update-GeneratedFile.ps1') -Check | Should -BeNullOrEmpty
    }
    It 'lists every error of the module itself' {
        $topic = [System.IO.File]::ReadAllText((Join-Path $module 'en-US/about_SmimeSync_Errors.help.txt'))
        $text = (Get-ChildItem $module -Recurse -Include *.ps1 | ForEach-Object { [System.IO.File]::ReadAllText($_.FullName) }) -join "`n"
        foreach ($match in [regex]::Matches($text, "-Reason '(\w+)'")) { $topic | Should -Match "SmimeSync\.Host\.$($match.Groups[1].Value)\b" }
        foreach ($failure in [System.Enum]::GetNames([SmimeSync.LoadFailure])) {
            if ($failure -ne 'None') { $topic | Should -Match "SmimeSync\.Host\.Library$failure\b" }
        }
    }
}

Describe 'the page <Name>' -ForEach $pages {
    It 'names cmdlets and parameters that exist' {
        $text = [System.IO.File]::ReadAllText($Path)
        if ($Path -like '*.ps1') { $text = [regex]::Match($text, '(?s)<#.*?#>').Value }
        $wrong = foreach ($match in [regex]::Matches($text, '\b[A-Z][a-z]+-Smime[A-Z]\w+[^`\r\n]*')) {
            # a line of prose parses as well; what counts is each command of the module and what is given to it by name
            $ast = [System.Management.Automation.Language.Parser]::ParseInput($match.Value, [ref]$null, [ref]$null)
            foreach ($call in $ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
                $name = [regex]::Match($call.GetCommandName(), '^\w+-Smime[A-Z]\w+').Value
                if (-not $name -or $name -in $ofOthers) { continue }
                $command = Get-Command -Module SmimeSync -Name $name -ErrorAction Ignore
                if (-not $command) { $name; continue }
                foreach ($element in $call.CommandElements) {
                    if ($element -is [System.Management.Automation.Language.CommandParameterAst] -and -not $command.Parameters.ContainsKey($element.ParameterName)) { $call.Extent.Text }
                }
            }
        }
        $wrong | Should -BeNullOrEmpty
    }
}

Describe 'formats and types' {
    It 'are for classes that exist, with properties that exist' {
        $types = [xml][System.IO.File]::ReadAllText((Join-Path $module 'SmimeSync.Types.ps1xml'))
        foreach ($type in $types.Types.Type) {
            if ($type.Name -eq 'SmimeSync.Connection') { continue }
            $class = $type.Name -as [type]
            $class | Should -Not -BeNullOrEmpty -Because $type.Name
            foreach ($name in $type.SelectNodes('.//ReferencedProperties/Name')) { $class.GetProperty($name.InnerText) | Should -Not -BeNullOrEmpty -Because "$($type.Name).$($name.InnerText)" }
        }
        $views = [xml][System.IO.File]::ReadAllText((Join-Path $module 'SmimeSync.Format.ps1xml'))
        foreach ($view in $views.Configuration.ViewDefinitions.View) {
            $columns = $view.SelectNodes('.//TableColumnHeader').Count
            $columns | Should -BeIn @(4..8)
            $view.SelectNodes('.//TableColumnItem').Count | Should -Be $columns
            $class = $view.ViewSelectedBy.TypeName -as [type]
            foreach ($name in $view.SelectNodes('.//PropertyName')) {
                if ($class) { $class.GetProperty($name.InnerText) | Should -Not -BeNullOrEmpty -Because "$($view.Name).$($name.InnerText)" }
            }
        }
    }
}

Describe 'the analyzer' {
    It 'finds nothing' -Skip:(-not $hasAnalyzer) {
        $found = Invoke-ScriptAnalyzer -Path $module -Recurse -ExcludeRule PSReviewUnusedParameter
        ($found | ForEach-Object { "$($_.ScriptName):$($_.Line) $($_.RuleName)" }) -join "`n" | Should -BeNullOrEmpty
    }
    It 'finds syntax that both editions know' -Skip:(-not $hasAnalyzer) {
        $settings = @{ IncludeRules = @('PSUseCompatibleSyntax'); Rules = @{ PSUseCompatibleSyntax = @{ Enable = $true; TargetVersions = @('5.1', '7.4') } } }
        Invoke-ScriptAnalyzer -Path $module -Recurse -Settings $settings | Should -BeNullOrEmpty
    }
}
