# The module's parts in the order they need each other. -ArgumentList of Import-Module may name the native library's file.
param([string] $LibraryPath)

Set-StrictMode -Version 2.0

$Script:NativeLibraryPath = $LibraryPath
$Script:Connection = $null

# Read by path first: where a culture cannot be found, or globalization is off, the sentences must still be there.
$Script:Text = @{}
Import-LocalizedData -BindingVariable English -BaseDirectory (Join-Path $PSScriptRoot 'en-US') -UICulture 'en-US' -FileName 'SmimeSync.Strings.psd1'
$Script:Text = $English
try {
    Import-LocalizedData -BindingVariable Localized -BaseDirectory $PSScriptRoot -FileName 'SmimeSync.Strings.psd1' -ErrorAction Stop
    foreach ($key in $Localized.Keys) { $Script:Text[$key] = $Localized[$key] }
}
catch {
    Write-Debug -Message $_.Exception.Message
}

if (-not ('SmimeSync.Session' -as [type])) {
    $assembly = Join-Path $PSScriptRoot 'SmimeSync.Interop.dll'
    if (Test-Path -LiteralPath $assembly) {
        Import-Module -Name $assembly
    }
    elseif ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw ($Script:Text.ConstrainedLanguage -f $ExecutionContext.SessionState.LanguageMode, $assembly)
    }
    else {
        Add-Type -Path (Get-ChildItem -LiteralPath (Join-Path $PSScriptRoot 'Interop') -Filter '*.cs').FullName
    }
}

foreach ($folder in @('Private', 'Public')) {
    foreach ($file in (Get-ChildItem -LiteralPath (Join-Path $PSScriptRoot $folder) -Filter '*.ps1')) {
        . $file.FullName
    }
}

# Neither finalizers nor OnRemove run by themselves when PowerShell ends, so the session asks to be told.
$null = Register-EngineEvent -SourceIdentifier 'PowerShell.Exiting' -SupportEvent -Action {
    Get-Module -Name 'SmimeSync' | Remove-Module -Force
}
$ExecutionContext.SessionState.Module.OnRemove = {
    if ($Script:Connection) {
        $Script:Connection.Session.Dispose()
        $Script:Connection = $null
    }
}
