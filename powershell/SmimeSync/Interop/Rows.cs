// One class per kind of row. Properties are the library's columns in .NET's spelling, which a test holds equal.
// Bytes are behind methods: a byte[] property floods JSON and CSV.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Linq;

namespace SmimeSync
{
    /// <summary>A list of texts that prints well: "a; b" in CSV, an array in JSON.</summary>
    public sealed class TextList : ReadOnlyCollection<string>
    {
        /// <summary>Wraps a list.</summary>
        public TextList(IList<string> texts) : base(texts)
        {
        }

        /// <summary>The texts with "; " between them.</summary>
        public override string ToString()
        {
            return string.Join("; ", this);
        }
    }

    /// <summary>Nested rows that print well.</summary>
    public sealed class RowList<T> : ReadOnlyCollection<T>
    {
        internal RowList(IList<T> rows) : base(rows)
        {
        }

        /// <summary>The rows' own words with "; " between them.</summary>
        public override string ToString()
        {
            return string.Join("; ", this.Select(row => row.ToString()));
        }
    }

    /// <summary>A row of a verb, or a nested one.</summary>
    public abstract class Row
    {
        internal virtual bool HasFailed
        {
            get { return false; }
        }

        /// <summary>The objects that come out for this row.</summary>
        internal virtual IEnumerable<object> Expand()
        {
            yield return this;
        }
    }

    /// <summary>A row about an object, which can fail by itself.</summary>
    public interface IObjectRow
    {
        /// <summary>Stable number of what went wrong with the object, or null.</summary>
        long? ErrorCode { get; }
        /// <summary>What went wrong with the object, or null.</summary>
        string Error { get; }
        /// <summary>The object, in words that find it again.</summary>
        string GetIdentity();
    }

    /// <summary>A certificate, however its value held it.</summary>
    public class Certificate : Row
    {
        public string Attribute { get; internal set; }
        public string ValueSha256 { get; internal set; }
        public string Sha256 { get; internal set; }
        public string Thumbprint { get; internal set; }
        public string Subject { get; internal set; }
        public string Issuer { get; internal set; }
        public string Serial { get; internal set; }
        public DateTime? NotBefore { get; internal set; }
        public DateTime? NotAfter { get; internal set; }
        public long? DaysLeft { get; internal set; }
        public TextList Emails { get; internal set; }
        public string Key { get; internal set; }
        public string Signature { get; internal set; }
        public TextList Usages { get; internal set; }
        public string Container { get; internal set; }
        internal byte[] Der { get; set; }

        /// <summary>The certificate in DER, or null where it cannot be parsed.</summary>
        public byte[] GetDer()
        {
            return Der;
        }

        /// <summary>The thumbprint, or the hash of a value that cannot be parsed.</summary>
        public override string ToString()
        {
            return Thumbprint ?? ValueSha256 ?? "";
        }

        internal void CopyFrom(Certificate other)
        {
            Attribute = other.Attribute;
            ValueSha256 = other.ValueSha256;
            Sha256 = other.Sha256;
            Thumbprint = other.Thumbprint;
            Subject = other.Subject;
            Issuer = other.Issuer;
            Serial = other.Serial;
            NotBefore = other.NotBefore;
            NotAfter = other.NotAfter;
            DaysLeft = other.DaysLeft;
            Emails = other.Emails;
            Key = other.Key;
            Signature = other.Signature;
            Usages = other.Usages;
            Container = other.Container;
            Der = other.Der;
        }
    }

    /// <summary>What could not be understood of a person.</summary>
    public sealed class Problem : Row
    {
        public string Code { get; internal set; }
        public string Message { get; internal set; }
        public string Attribute { get; internal set; }
        public string ValueSha256 { get; internal set; }

        /// <summary>The message.</summary>
        public override string ToString()
        {
            return Message;
        }
    }

    /// <summary>A person of the directory; comes out as a PersonCertificate for each certificate.</summary>
    public sealed class Person : Row, IObjectRow
    {
        public string Identity { get; internal set; }
        public string DistinguishedName { get; internal set; }
        public string Kind { get; internal set; }
        public string DisplayName { get; internal set; }
        public string UserPrincipalName { get; internal set; }
        public string PrimarySmtpAddress { get; internal set; }
        public TextList Addresses { get; internal set; }
        public string SourceAnchor { get; internal set; }
        public bool? Enabled { get; internal set; }
        public bool? Deleted { get; internal set; }
        public RowList<Certificate> Certificates { get; internal set; }
        public RowList<Problem> Problems { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The identity, else the distinguished name.</summary>
        public string GetIdentity()
        {
            return Identity ?? DistinguishedName;
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }

        internal override IEnumerable<object> Expand()
        {
            IList<Certificate> certificates = (IList<Certificate>)Certificates ?? new Certificate[0];
            List<Problem> open = new List<Problem>((IEnumerable<Problem>)Problems ?? new Problem[0]);
            foreach (Certificate certificate in certificates)
            {
                Problem problem = open.Find(each => each.ValueSha256 != null && each.ValueSha256 == certificate.ValueSha256);
                yield return new PersonCertificate(this, certificate, problem);
            }
            foreach (Problem problem in open)
            {
                if (problem.ValueSha256 == null || certificates.All(each => each.ValueSha256 != problem.ValueSha256))
                {
                    Certificate nothing = new Certificate { Attribute = problem.Attribute, ValueSha256 = problem.ValueSha256 };
                    yield return new PersonCertificate(this, nothing, problem);
                }
            }
            // who is gone has no certificates any more, and is said to be gone all the same
            if (Deleted == true && certificates.Count == 0 && open.Count == 0)
            {
                yield return new PersonCertificate(this, new Certificate(), null);
            }
        }
    }

    /// <summary>A certificate and the person who publishes it.</summary>
    public sealed class PersonCertificate : Certificate
    {
        public string Identity { get; private set; }
        public string DistinguishedName { get; private set; }
        public string Kind { get; private set; }
        public string DisplayName { get; private set; }
        public string UserPrincipalName { get; private set; }
        public string PrimarySmtpAddress { get; private set; }
        public TextList Addresses { get; private set; }
        public bool? Enabled { get; private set; }
        public bool? Deleted { get; private set; }
        /// <summary>What could not be understood of the value, or null.</summary>
        public string Problem { get; private set; }

        internal PersonCertificate(Person person, Certificate certificate, Problem problem)
        {
            CopyFrom(certificate);
            Identity = person.Identity;
            DistinguishedName = person.DistinguishedName;
            Kind = person.Kind;
            DisplayName = person.DisplayName;
            UserPrincipalName = person.UserPrincipalName;
            PrimarySmtpAddress = person.PrimarySmtpAddress;
            Addresses = person.Addresses;
            Enabled = person.Enabled;
            Deleted = person.Deleted;
            Problem = problem == null ? null : problem.Message;
        }
    }

    /// <summary>What speaks for or against a certificate.</summary>
    public sealed class Finding : Row
    {
        public string Code { get; internal set; }
        public string Severity { get; internal set; }
        public string Use { get; internal set; }
        public string Message { get; internal set; }
        public string Observed { get; internal set; }
        public string Expected { get; internal set; }
        public string Rule { get; internal set; }
        public string Remedy { get; internal set; }
        public long? CertificateIndex { get; internal set; }

        /// <summary>The code.</summary>
        public override string ToString()
        {
            return Code;
        }
    }

    /// <summary>A certificate and what it is fit for.</summary>
    public sealed class Verdict : Certificate, IObjectRow
    {
        public string Source { get; internal set; }
        public string Person { get; internal set; }
        public bool? PathValid { get; internal set; }
        public string Encrypt { get; internal set; }
        public string Sign { get; internal set; }
        public string AddressMatch { get; internal set; }
        public bool? AddressExact { get; internal set; }
        public TextList Path { get; internal set; }
        public RowList<Finding> Findings { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The person, else where the certificate came from.</summary>
        public string GetIdentity()
        {
            return Person ?? Source;
        }

        /// <summary>Says whose certificate it is, for a certificate that was handed in by itself.</summary>
        public void SetPerson(string identity)
        {
            Person = Person ?? identity;
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }
    }

    /// <summary>Whether a person can be encrypted to from Exchange Online, and if not, why.</summary>
    public sealed class Coverage : Row, IObjectRow
    {
        public string Person { get; internal set; }
        public string DisplayName { get; internal set; }
        public string PrimarySmtpAddress { get; internal set; }
        public string Recipient { get; internal set; }
        public string Encrypt { get; internal set; }
        public string Sign { get; internal set; }
        public string Thumbprint { get; internal set; }
        public DateTime? NotAfter { get; internal set; }
        public bool? InExchange { get; internal set; }
        public string BlockedBy { get; internal set; }
        public string Remedy { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The primary address, else the display name, else the person.</summary>
        public string GetIdentity()
        {
            return PrimarySmtpAddress ?? DisplayName ?? Person;
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }
    }

    /// <summary>A certificate whose key should not exist, and why.</summary>
    public sealed class WeakKey : Certificate, IObjectRow
    {
        public string Source { get; internal set; }
        public string Person { get; internal set; }
        public string Weakness { get; internal set; }
        public string Severity { get; internal set; }
        public TextList SharedWith { get; internal set; }
        public string Message { get; internal set; }
        public string Observed { get; internal set; }
        public string Expected { get; internal set; }
        public string Rule { get; internal set; }
        public string Remedy { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The person, else where the certificate came from.</summary>
        public string GetIdentity()
        {
            return Person ?? Source;
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }
    }

    /// <summary>An authority that the tenant should trust, or does.</summary>
    public sealed class IssuingCertificate : Certificate, IObjectRow
    {
        public string Run { get; internal set; }
        /// <summary>Who was asked for and not found; such a row is about no authority.</summary>
        public string Person { get; internal set; }
        public long? NeededBy { get; internal set; }
        public bool? InTenant { get; internal set; }
        public string Action { get; internal set; }
        public string Reason { get; internal set; }
        public string Result { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The subject, else the digest of an entry that cannot be read, else who was not found.</summary>
        public string GetIdentity()
        {
            return Subject ?? ValueSha256 ?? Person;
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }
    }

    /// <summary>A recipient of Exchange Online.</summary>
    public sealed class Recipient : Row, IObjectRow
    {
        public string Identity { get; internal set; }
        public string ExternalDirectoryObjectId { get; internal set; }
        public string DisplayName { get; internal set; }
        public string UserPrincipalName { get; internal set; }
        public string PrimarySmtpAddress { get; internal set; }
        public TextList Addresses { get; internal set; }
        public string RecipientTypeDetails { get; internal set; }
        public bool? IsDirSynced { get; internal set; }
        public bool? IsExchangeCloudManaged { get; internal set; }
        public string ImmutableId { get; internal set; }
        public RowList<Certificate> Certificates { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The identity, else the primary address.</summary>
        public string GetIdentity()
        {
            return Identity ?? PrimarySmtpAddress;
        }

        /// <summary>The primary address.</summary>
        public override string ToString()
        {
            return PrimarySmtpAddress ?? Identity;
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }
    }

    /// <summary>One thing that must work before a run can.</summary>
    public sealed class ConnectionTest : Row
    {
        public string Target { get; internal set; }
        public string Step { get; internal set; }
        public string Result { get; internal set; }
        public long? LatencyMs { get; internal set; }
        public string Detail { get; internal set; }
        public string Remedy { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }
    }

    /// <summary>Which class the rows of a verb are.</summary>
    internal static class RowTypes
    {
        private static readonly Dictionary<string, Type> ByVerb = new Dictionary<string, Type>
        {
            { "check", typeof(ConnectionTest) },
            { "fetch", typeof(Person) },
            { "validate", typeof(Verdict) },
            { "coverage", typeof(Coverage) },
            { "keys", typeof(WeakKey) },
            { "recipients", typeof(Recipient) },
            { "compare", typeof(PlannedChange) },
            { "publish", typeof(DirectoryChange) },
            { "prune", typeof(DirectoryChange) },
            { "issuers", typeof(IssuingCertificate) },
            { "sync", typeof(AppliedChange) },
            { "runs", typeof(SyncRun) },
            { "changes", typeof(RecordedChange) }
        };

        /// <summary>Null for a verb that is read column by column.</summary>
        internal static Type Of(string verb)
        {
            Type type;
            return ByVerb.TryGetValue(verb, out type) ? type : null;
        }
    }
}
