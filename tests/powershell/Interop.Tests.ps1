# The binding against the header and the library: SMIMESYNC_LIBRARY names the library's file.

BeforeDiscovery {
    $verbs = @('check', 'fetch', 'validate', 'coverage', 'keys', 'recipients', 'compare', 'sync', 'publish', 'prune', 'issuers', 'runs', 'changes' | ForEach-Object { @{ Verb = $_ } })
}

BeforeAll {
    $root = [System.IO.Path]::GetFullPath((Join-Path $PSScriptRoot '../..'))
    Import-Module (Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1') -Force -ArgumentList $env:SMIMESYNC_LIBRARY
    [SmimeSync.Library]::Load([System.IO.Path]::GetFullPath($env:SMIMESYNC_LIBRARY)) | Should -Be 'None' -Because ([SmimeSync.Library]::Detail)
    $header = [System.IO.File]::ReadAllText((Join-Path $root 'include/smimesync.h'))
    $native = [SmimeSync.Library].Assembly.GetType('SmimeSync.Native')
    $fields = @{}
    foreach ($field in $native.GetFields([System.Reflection.BindingFlags]'Static,NonPublic')) {
        if ([System.Delegate].IsAssignableFrom($field.FieldType)) { $fields['smimesync_' + [SmimeSync.Names]::ToNative($field.Name)] = $field.FieldType.GetMethod('Invoke') }
    }
    $session = [SmimeSync.Session]::Open([System.Text.Encoding]::UTF8.GetBytes('{}'))

    # A C parameter as the .NET type that has to stand for it.
    function ConvertTo-DotNet([string] $Parameter) {
        switch -Regex ($Parameter.Trim()) {
            '^const char \*\*|^const uint8_t \*\*' { 'IntPtr&'; break }
            '^(struct )?smimesync_progress \*' { 'NativeProgress&'; break }
            '^(struct )?smimesync_\w+ \*\*' { 'IntPtr&'; break }
            '^(const )?(struct )?smimesync_\w+ \*' { 'IntPtr'; break }
            '^const char \*' { 'Byte[]'; break }
            '^(size_t|uintptr_t) \*' { 'UIntPtr&'; break }
            '^int32_t \*' { 'Int32&'; break }
            '^int64_t \*' { 'Int64&'; break }
            '^(size_t|uintptr_t) ' { 'UIntPtr'; break }
            '^uint32_t ' { 'UInt32'; break }
            '^int32_t ' { 'Int32'; break }
            default { $Parameter.Trim() }
        }
    }
    $returns = @{ 'uint32_t ' = 'UInt32'; 'int32_t ' = 'Int32'; 'int64_t ' = 'Int64'; 'void ' = 'Void'; 'const char *' = 'IntPtr' }
    $prototypes = @{}
    foreach ($match in [regex]::Matches($header, '(?m)^(uint32_t |int32_t |int64_t |void |const char \*)(smimesync_\w+)\(([^;{]*?)\);')) {
        $parameters = @($match.Groups[3].Value -replace '\s+', ' ' -split ',' | Where-Object { $_.Trim() -and $_.Trim() -ne 'void' } | ForEach-Object { ConvertTo-DotNet $_ })
        $prototypes[$match.Groups[2].Value] = "$($returns[$match.Groups[1].Value]) ($($parameters -join ', '))"
    }
}

AfterAll {
    if ($session) { $session.Dispose() }
}

Describe 'delegates and header' {
    It 'name the same functions' {
        $prototypes.Count | Should -BeGreaterThan 30
        ($fields.Keys | Sort-Object) -join ' ' | Should -Be (($prototypes.Keys | Sort-Object) -join ' ')
    }
    It 'have the same parameters and results' {
        foreach ($name in $prototypes.Keys) {
            $method = $fields[$name]
            $found = "$($method.ReturnType.Name) ($(($method.GetParameters() | ForEach-Object { $_.ParameterType.Name }) -join ', '))"
            $found | Should -Be $prototypes[$name] -Because $name
        }
    }
    It 'agree on the ABI' {
        [regex]::Match($header, '#define SMIMESYNC_ABI_VERSION (\d+)').Groups[1].Value | Should -Be ([SmimeSync.Library]::AbiVersion)
    }
    It 'agree on the codes' {
        foreach ($match in [regex]::Matches($header, '(?m)SMIMESYNC_CODE_(\w+) = (-\d+)')) {
            $name = -join ($match.Groups[1].Value -split '_' | ForEach-Object { $_.Substring(0, 1) + $_.Substring(1).ToLowerInvariant() })
            [int][SmimeSync.Code]$name | Should -Be $match.Groups[2].Value -Because $name
        }
    }
}

Describe 'the rows of <Verb>' -ForEach $verbs {
    It 'have a property for each column, of its type, and no other' {
        $kinds = @{ TEXT = 'String'; INTEGER = 'Int64'; BOOLEAN = 'Boolean'; TIME = 'DateTime'; BLOB = 'Byte[]'; LIST = 'TextList' }
        $type = [SmimeSync.Library].Assembly.GetType('SmimeSync.RowTypes').GetMethod('Of', [System.Reflection.BindingFlags]'Static,NonPublic').Invoke($null, @($Verb))
        $describe = {
            param($class, $parent, $columns)
            $expected = foreach ($column in ($columns | Where-Object { $_.Parent -eq $parent })) {
                $kind = $kinds[$column.Type]
                if ($column.Type -eq 'ROWS') { $kind = 'RowList`1' }
                "$($column.Column) $kind"
            }
            $found = foreach ($property in $class.GetProperties([System.Reflection.BindingFlags]'Instance,Public,NonPublic')) {
                if (-not $property.GetSetMethod($true)) { continue }
                $plain = [System.Nullable]::GetUnderlyingType($property.PropertyType)
                if (-not $plain) { $plain = $property.PropertyType }
                "$([SmimeSync.Names]::ToNative($property.Name)) $($plain.Name)"
                if ($plain.Name -eq 'RowList`1') { & $describe $plain.GetGenericArguments()[0] ([SmimeSync.Names]::ToNative($property.Name)) $columns }
            }
            ($found | Where-Object { $_ -is [string] } | Sort-Object) -join "`n" | Should -Be (($expected | Sort-Object) -join "`n") -Because "$Verb $parent"
        }
        $cursor = $session.Start('columns', "{""verb"":""$Verb""}")
        $columns = while ($cursor.Step(1000) -ne 'Done') {
            if ($cursor.State -eq 'Row') { [pscustomobject]@{ Parent = $cursor.Current.Text(1); Column = $cursor.Current.Text(2); Type = $cursor.Current.Text(3) } }
        }
        $cursor.Error | Should -BeNullOrEmpty
        $cursor.Dispose()
        @($columns).Count | Should -BeGreaterThan 3
        & $describe $type $null $columns
    }
}

Describe 'errors as values' {
    It 'opens no session of a wrong configuration and says where' {
        $wrong = [SmimeSync.Session]::Open([System.Text.Encoding]::UTF8.GetBytes('{"nonsense":1}'))
        $wrong.Error.Code | Should -Be ([int][SmimeSync.Code]::ConfigUnknownKey)
        $wrong.Error.Target | Should -Be '/nonsense'
        $wrong.Error.Category | Should -Be 'config'
        $wrong.Dispose()
    }
    It 'gives a cursor that is done for wrong options' {
        $cursor = $session.Start('columns', '{"verbs":1}')
        $cursor.State | Should -Be 'Done'
        $cursor.Error.Target | Should -Be '/verbs'
        $cursor.Next(10, 0) | Should -BeNullOrEmpty
        $cursor.Dispose()
    }
    It 'takes secrets of any letters' {
        foreach ($text in @('plain', "quote "" back \ umlaut $([char]0xFC) tick $([char]0x2713)", '')) {
            $secret = New-Object System.Security.SecureString
            foreach ($letter in $text.ToCharArray()) { $secret.AppendChar($letter) }
            $own = [SmimeSync.Session]::Open([System.Text.Encoding]::UTF8.GetBytes('{"exchange":{"organization":"contoso.onmicrosoft.com"}}'))
            $own.Error | Should -BeNullOrEmpty
            $own.SetSecret('/exchange/auth/secret', $secret) | Should -BeNullOrEmpty
            $own.SetSecret('/policy/at', $secret) | Should -Not -BeNullOrEmpty
            $own.Dispose()
        }
    }
    It 'zeroes the configuration it was given' {
        $bytes = [System.Text.Encoding]::UTF8.GetBytes('{}')
        [SmimeSync.Session]::Open($bytes).Dispose()
        $bytes | Should -Be @(0, 0)
    }
}

Describe 'completing a configuration' {
    It '<In> becomes <Out>' -ForEach @(
        @{ In = '{}'; Out = '{"base_dir":"/b","culture":"de-DE"}' }
        @{ In = ' {"a":{"base_dir":1}} '; Out = ' {"a":{"base_dir":1},"base_dir":"/b","culture":"de-DE"} ' }
        @{ In = '{"base_dir":"x"}'; Out = '{"base_dir":"x","culture":"de-DE"}' }
        @{ In = '{"b\u0061se_dir":"x","culture":"nl"}'; Out = '{"b\u0061se_dir":"x","culture":"nl"}' }
        @{ In = '{"a":"base_dir"}'; Out = '{"a":"base_dir","base_dir":"/b","culture":"de-DE"}' }
        @{ In = '{"a":"}\"'; Out = '{"a":"}\"' }
        @{ In = '[]'; Out = '[]' }
        @{ In = ''; Out = '' }
    ) {
        $bytes = [SmimeSync.Configuration]::Complete([System.Text.Encoding]::UTF8.GetBytes($In), '/b', 'de-DE')
        [System.Text.Encoding]::UTF8.GetString($bytes) | Should -BeExactly $Out
    }
}

Describe 'loading' {
    BeforeAll {
        # A library is loaded once per process, so each failure has a process of its own.
        function Invoke-Load([string] $Path) {
            $module = Join-Path $root 'powershell/SmimeSync/SmimeSync.psd1'
            & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -Command "Import-Module '$module' -ArgumentList '$Path'; try { Connect-SmimeSync } catch { `$_.FullyQualifiedErrorId; `$_.Exception.Message }"
        }
    }
    It 'names a missing file' {
        $said = Invoke-Load '/nowhere/libsmimesync.so'
        $said[0] | Should -Be 'SmimeSync.Host.LibraryNotFound,Connect-SmimeSync'
        $said[1] | Should -Match '/nowhere/libsmimesync.so'
    }
    It 'names a damaged file, the platform and the ABI' {
        $path = Join-Path $TestDrive 'libsmimesync.so'
        [System.IO.File]::WriteAllText($path, 'damaged')
        $said = Invoke-Load $path
        $said[0] | Should -Be 'SmimeSync.Host.LibraryUnloadable,Connect-SmimeSync'
        $said[1] | Should -Match ([regex]::Escape($path))
        $said[1] | Should -Match 'ABI 0\.1'
    }
    It 'is refused in Constrained Language with the remedy' -Skip:(Test-Path (Join-Path $PSScriptRoot '../../powershell/SmimeSync/SmimeSync.Interop.dll')) {
        $module = Join-Path $root 'powershell/SmimeSync/SmimeSync.psm1'
        $said = & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -Command "`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; Import-Module '$module'" 2>&1 | Out-String
        $said | Should -Match 'ConstrainedLanguage'
    }
}
