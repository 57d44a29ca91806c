@{
    # Loading
    ConstrainedLanguage      = 'SmimeSync cannot be loaded in {0}: the signed assembly {1} is missing. Use a release of the module, or run in FullLanguage.'
    LibraryNotFound          = 'the native library for {0} was not found; looked for {1}'
    LibraryUnsupported       = 'there is no native library for this process ({0}); use a 64-bit PowerShell'
    LibraryUnloadable        = 'the native library {0} for {1} cannot be loaded (ABI {2} expected): {3}'
    LibraryMissingFunction   = 'the file {0} for {1} is not a fitting SmimeSync library (ABI {2} expected): {3} is missing'
    LibraryWrongAbi          = 'the native library {0} for {1} has ABI {3}, this module needs {2}'
    LibraryOtherLoaded       = 'this process has loaded the native library {3} already, {0} needs a new process'

    # Arguments
    NotConnected             = 'not connected'
    NotConnectedRemedy       = 'run Connect-SmimeSync first'
    IdentityNullOrEmpty      = 'an identity is null or empty, which never stands for everybody'
    IdentityUnknown          = 'an object of the type {0} names nobody; hand in text, or an object with one of the properties {1}'
    ParameterConflict        = '-{0} and -{1} exclude each other'
    ResultSizeInvalid        = 'a result size is a whole number above 0, or Unlimited'
    ConfigurationNotFound    = '{0}: no such file'
    ConfigurationUnreadable  = '{0}: the file cannot be read: {1}'
    CannotPrompt             = 'a confirmation is needed and cannot be asked for here; nothing was written: {0}'
    CannotPromptRemedy       = 'look with -WhatIf, then add -Confirm:$false'

    # Errors of the library
    ErrorWithTarget          = '{0}: {1}'
    ErrorUnknown             = 'the library reports error {0}'
    RemedyGuard              = 'look at the changes with Compare-SmimeCertificate; if they are right, add -Force {0}'
    RemedyFileExists         = 'name another file, or add -Overwrite'
    RemedyRetryAfter         = 'try again in {0} seconds'
    RemedyInternal           = 'please report this defect with its place: {0}'

    # Events
    ResultSizeReached        = 'There are more results than -ResultSize allows ({0}). Use -ResultSize Unlimited to see them all.'

    # Changes
    SyncAction               = 'synchronize certificates'
    PruneAction              = 'remove certificates'
    PublishAction            = 'publish certificates'
    IssuersAction            = 'upload authorities'
    IssuersChange            = 'upload authorities (+{0} -{1})'
    ChangeAction             = '{0} {1} (+{2} -{3})'

    # Progress
    ActivityCompare          = 'Comparing the directory with Exchange Online'
    ActivityCoverage         = 'Looking for who can be encrypted to'
    ActivityFetch            = 'Reading certificates from the directory'
    ActivityIssuers          = 'Looking for the authorities that certificates need'
    ActivityPrune            = 'Removing certificates from the directory'
    ActivityPublish          = 'Publishing certificates to the directory'
    ActivityRead             = 'Reading the record'
    ActivityRecipients       = 'Reading recipients from Exchange Online'
    ActivitySync             = 'Writing certificates to Exchange Online'
    ActivityTest             = 'Testing the connection'
    ActivityValidate         = 'Judging certificates'
    ActivityWeakKey          = 'Looking for weak keys'
    Phase0                   = 'starting'
    Phase1                   = 'reading people'
    Phase2                   = 'reading recipients'
    Phase3                   = 'judging certificates'
    Phase4                   = 'planning'
    Phase5                   = 'writing'
    ProgressOf               = '{0}: {1} of {2}'
    ProgressCount            = '{0}: {1}'
}
