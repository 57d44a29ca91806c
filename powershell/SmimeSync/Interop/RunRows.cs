// The rows of runs: what would change, what was changed, what is on record.

using System;

namespace SmimeSync
{
    /// <summary>A value that is added, removed or left behind.</summary>
    public sealed class ChangedValue : Row
    {
        public string Sha256 { get; internal set; }
        public string Thumbprint { get; internal set; }
        public string Subject { get; internal set; }
        public DateTime? NotAfter { get; internal set; }
        public string Reason { get; internal set; }

        /// <summary>The thumbprint and, where there is one, the reason.</summary>
        public override string ToString()
        {
            string name = Thumbprint ?? Sha256;
            return Reason == null ? name : name + " (" + Reason + ")";
        }
    }

    /// <summary>A value with its bytes.</summary>
    public sealed class StoredValue : Row
    {
        public string Sha256 { get; internal set; }
        internal byte[] Bytes { get; set; }

        /// <summary>The value as Exchange Online held it.</summary>
        public byte[] GetBytes()
        {
            return Bytes;
        }

        /// <summary>The hash.</summary>
        public override string ToString()
        {
            return Sha256;
        }
    }

    /// <summary>What concerns one attribute of one recipient or entry.</summary>
    public abstract class AttributeChange : Row, IObjectRow
    {
        public string Run { get; internal set; }
        public long? Change { get; internal set; }
        public string Person { get; internal set; }
        public string PrimarySmtpAddress { get; internal set; }
        public string Attribute { get; internal set; }
        public string Action { get; internal set; }
        public TextList Before { get; internal set; }
        public TextList After { get; internal set; }
        public RowList<ChangedValue> Added { get; internal set; }
        public RowList<ChangedValue> Removed { get; internal set; }
        public string Reason { get; internal set; }
        public RowList<ChangedValue> Losers { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }

        /// <summary>The primary address, else the recipient or entry, else the person.</summary>
        public string GetIdentity()
        {
            return PrimarySmtpAddress ?? Holder ?? Person;
        }

        /// <summary>Whose attribute it is.</summary>
        internal abstract string Holder { get; }

        /// <summary>The action and whom it concerns.</summary>
        public override string ToString()
        {
            return Action + " " + Attribute + " " + GetIdentity();
        }

        internal override bool HasFailed
        {
            get { return ErrorCode != null; }
        }

        internal void CopyFrom(AttributeChange other)
        {
            Run = other.Run;
            Change = other.Change;
            Person = other.Person;
            PrimarySmtpAddress = other.PrimarySmtpAddress;
            Attribute = other.Attribute;
            Action = other.Action;
            Before = other.Before;
            After = other.After;
            Added = other.Added;
            Removed = other.Removed;
            Reason = other.Reason;
            Losers = other.Losers;
            ErrorCode = other.ErrorCode;
            Error = other.Error;
        }
    }

    /// <summary>What concerns one attribute of one recipient.</summary>
    public abstract class RecipientChange : AttributeChange
    {
        public string Recipient { get; internal set; }

        internal override string Holder
        {
            get { return Recipient; }
        }
    }

    /// <summary>What happened to one attribute of one entry of the directory.</summary>
    public sealed class DirectoryChange : AttributeChange
    {
        public string Directory { get; internal set; }
        public string DistinguishedName { get; internal set; }
        public string Result { get; internal set; }

        internal override string Holder
        {
            get { return DistinguishedName; }
        }
    }

    /// <summary>What would happen to one attribute of one recipient.</summary>
    public sealed class PlannedChange : RecipientChange
    {
    }

    /// <summary>What happened to one attribute of one recipient.</summary>
    public sealed class AppliedChange : RecipientChange
    {
        public string Result { get; internal set; }

        /// <summary>A change that was planned and did not get to the library again.</summary>
        public static AppliedChange Of(RecipientChange planned, string result)
        {
            AppliedChange change = new AppliedChange { Recipient = planned.Recipient, Result = result };
            change.CopyFrom(planned);
            return change;
        }
    }

    /// <summary>A change on record, with the values before and after it.</summary>
    public sealed class RecordedChange : RecipientChange
    {
        public string Directory { get; internal set; }
        public RowList<StoredValue> BeforeValues { get; internal set; }
        public RowList<StoredValue> AfterValues { get; internal set; }
        public string Result { get; internal set; }
    }

    /// <summary>A run on record.</summary>
    public sealed class SyncRun : Row
    {
        public string Run { get; internal set; }
        public DateTime? Started { get; internal set; }
        public DateTime? Ended { get; internal set; }
        public string PolicyType { get; internal set; }
        public bool? Staging { get; internal set; }
        public string Result { get; internal set; }
        public long? People { get; internal set; }
        public long? Recipients { get; internal set; }
        public long? Unchanged { get; internal set; }
        public long? Changed { get; internal set; }
        public long? Skipped { get; internal set; }
        public long? Failed { get; internal set; }
        public long? ValuesAdded { get; internal set; }
        public long? ValuesRemoved { get; internal set; }
        public long? Requests { get; internal set; }
        public long? ErrorCode { get; internal set; }
        public string Error { get; internal set; }
    }
}
