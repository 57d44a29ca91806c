// Every code an error or an event can carry, as src/error.rs has them; a test holds the two equal.

namespace SmimeSync
{
    /// <summary>Codes of errors and events. Numbers are stable and never reused.</summary>
    public enum Code
    {
        /// <summary>The configuration is not JSON.</summary>
        ConfigSyntax = -101,
        /// <summary>The configuration has a key that does not exist.</summary>
        ConfigUnknownKey = -102,
        /// <summary>A configuration value has the wrong type.</summary>
        ConfigType = -103,
        /// <summary>A configuration value is out of its range.</summary>
        ConfigValue = -104,
        /// <summary>The verb needs a configuration value that is absent.</summary>
        ConfigMissing = -105,
        /// <summary>A secret's file can be read by others than its owner.</summary>
        ConfigSecretExposed = -106,
        /// <summary>The configuration asks for something this version cannot do.</summary>
        ConfigUnsupported = -107,
        /// <summary>A file named in the configuration or the options does not exist.</summary>
        FileNotFound = -108,
        /// <summary>A file exists and cannot be read.</summary>
        FileUnreadable = -109,
        /// <summary>The options are not JSON.</summary>
        OptionSyntax = -121,
        /// <summary>An option does not exist.</summary>
        OptionUnknown = -122,
        /// <summary>An option has the wrong type.</summary>
        OptionType = -123,
        /// <summary>An option's value is out of its range.</summary>
        OptionValue = -124,
        /// <summary>An option asks for something this version cannot do.</summary>
        OptionUnsupported = -125,
        /// <summary>No connection to the directory.</summary>
        DirectoryUnreachable = -201,
        /// <summary>The directory did not answer in time.</summary>
        DirectoryTimeout = -202,
        /// <summary>The directory's TLS certificate is not trusted.</summary>
        DirectoryTls = -203,
        /// <summary>The directory refused the credentials.</summary>
        DirectoryAuth = -204,
        /// <summary>The account may not read what was asked for.</summary>
        DirectoryDenied = -205,
        /// <summary>The directory's answer could not be understood.</summary>
        DirectoryProtocol = -206,
        /// <summary>The read ended before everything was read.</summary>
        DirectoryIncomplete = -207,
        /// <summary>A named person does not exist in the directory.</summary>
        DirectoryNotFound = -208,
        /// <summary>A named person exists more than once.</summary>
        DirectoryAmbiguous = -209,
        /// <summary>The LDIF file breaks RFC 2849.</summary>
        LdifSyntax = -210,
        /// <summary>The LDIF file holds change records instead of content records.</summary>
        LdifChangeRecord = -211,
        /// <summary>A password would travel over an unencrypted connection.</summary>
        DirectoryPlaintext = -212,
        /// <summary>The LDAP filter cannot be parsed.</summary>
        DirectoryFilter = -213,
        /// <summary>No connection to Exchange Online or to its token endpoint.</summary>
        ExchangeUnreachable = -301,
        /// <summary>Exchange Online did not answer in time.</summary>
        ExchangeTimeout = -302,
        /// <summary>The TLS certificate of Exchange Online or its token endpoint is not trusted.</summary>
        ExchangeTls = -303,
        /// <summary>Sign-in was refused, or the token is not accepted.</summary>
        ExchangeAuth = -304,
        /// <summary>The application lacks a right.</summary>
        ExchangeDenied = -305,
        /// <summary>Exchange Online asks to wait.</summary>
        ExchangeThrottled = -306,
        /// <summary>The answer of Exchange Online could not be understood.</summary>
        ExchangeProtocol = -307,
        /// <summary>The recipient does not exist.</summary>
        ExchangeNotFound = -308,
        /// <summary>The identity stands for several recipients.</summary>
        ExchangeAmbiguous = -309,
        /// <summary>Exchange Online refused the command.</summary>
        ExchangeRefused = -310,
        /// <summary>A list of recipients ended before its end.</summary>
        ExchangeIncomplete = -311,
        /// <summary>The recipient is mastered on-premises and refuses the write.</summary>
        ExchangeDirSynced = -312,
        /// <summary>What was read back differs from what was written.</summary>
        ExchangeVerify = -313,
        /// <summary>The certificates of a recipient cannot be read in any known form.</summary>
        ExchangeUnreadable = -314,
        /// <summary>A file that should hold certificates or CRLs holds none that can be read.</summary>
        TrustUnreadable = -401,
        /// <summary>The store cannot be opened.</summary>
        StoreOpen = -501,
        /// <summary>The store failed.</summary>
        StoreFailed = -502,
        /// <summary>The store was made by a newer version.</summary>
        StoreVersion = -503,
        /// <summary>Another process holds the lock.</summary>
        StoreLocked = -504,
        /// <summary>The run does not exist.</summary>
        RunNotFound = -505,
        /// <summary>The change does not exist in its run.</summary>
        ChangeNotFound = -506,
        /// <summary>A recipient is no longer as the compared run found it.</summary>
        ChangeStale = -507,
        /// <summary>A guard stopped the run before its first write.</summary>
        GuardStopped = -601,
        /// <summary>A defect of this library.</summary>
        Internal = -701,
        /// <summary>The handle was poisoned by an earlier defect.</summary>
        Poisoned = -702,
        /// <summary>The caller cancelled.</summary>
        Cancelled = -703,
        /// <summary>Text handed in is not UTF-8.</summary>
        InvalidUtf8 = -704,
        /// <summary>A pointer handed in is NULL.</summary>
        NullPointer = -705,
        /// <summary>A column does not exist or has another type.</summary>
        ColumnMismatch = -706,
        /// <summary>Event: the limit of rows was reached, there is more.</summary>
        LimitReached = -801,
        /// <summary>Event: people were read.</summary>
        PeopleRead = -802,
        /// <summary>Event: recipients were read.</summary>
        RecipientsRead = -803,
        /// <summary>Event: a run began.</summary>
        RunStarted = -804,
        /// <summary>Event: a run ended.</summary>
        RunEnded = -805,
        /// <summary>Event: a request is repeated after waiting.</summary>
        Retrying = -806,
        /// <summary>Event: a recipient had changed since it was read and was planned anew.</summary>
        PlannedAnew = -807,
        /// <summary>Event: the scope changed, so nobody is taken for vanished.</summary>
        ScopeChanged = -808
    }
}
