@{
    RootModule             = 'SmimeSync.psm1'
    ModuleVersion          = '0.1.0'
    GUID                   = '5c3f1f0e-5a9e-4e0b-9a55-0c8f0c6b8d11'
    Author                 = 'The SmimeSync authors'
    CompanyName            = 'SmimeSync'
    Copyright              = '(c) The SmimeSync authors. MIT or Apache-2.0.'
    Description            = 'Brings S/MIME certificates from a directory to Exchange Online: reads, validates, compares, synchronises.'
    PowerShellVersion      = '5.1'
    CompatiblePSEditions   = @('Desktop', 'Core')
    DotNetFrameworkVersion = '4.7.2'
    FunctionsToExport      = @(
        'Compare-SmimeCertificate'
        'Connect-SmimeSync'
        'Disconnect-SmimeSync'
        'Export-SmimeIssuingCertificate'
        'Get-SmimeCertificate'
        'Get-SmimeCoverage'
        'Get-SmimeRecipient'
        'Get-SmimeSyncChange'
        'Get-SmimeSyncConnection'
        'Get-SmimeSyncRun'
        'Get-SmimeWeakKey'
        'Publish-SmimeCertificate'
        'Publish-SmimeIssuingCertificate'
        'Remove-SmimeCertificate'
        'Sync-SmimeCertificate'
        'Test-SmimeCertificate'
        'Test-SmimeSyncConnection'
    )
    CmdletsToExport        = @()
    VariablesToExport      = @()
    AliasesToExport        = @()
    FormatsToProcess       = @('SmimeSync.Format.ps1xml')
    TypesToProcess         = @('SmimeSync.Types.ps1xml')
    PrivateData            = @{
        PSData = @{
            Tags       = @('SMIME', 'Exchange', 'ExchangeOnline', 'ActiveDirectory', 'Certificate', 'PSEdition_Desktop', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            Prerelease = ''
        }
    }
}
