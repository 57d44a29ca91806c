// The binding of the SmimeSync library: C# 5, for Windows PowerShell 5.1, PowerShell 7 and any other .NET program.
// Nothing here throws because of the library: errors are values, so that a script cannot run past one by accident.

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;

namespace SmimeSync
{
    /// <summary>What the library reports of a failed call.</summary>
    public sealed class NativeError
    {
        /// <summary>Stable number, see <see cref="SmimeSync.Code"/>.</summary>
        public int Code { get; private set; }
        /// <summary>Kind of trouble, such as "auth".</summary>
        public string Category { get; private set; }
        /// <summary>Part of the work, such as "directory".</summary>
        public string Area { get; private set; }
        /// <summary>What it is about; null where nothing can be named.</summary>
        public string Target { get; private set; }
        /// <summary>One line in the session's culture.</summary>
        public string Message { get; private set; }
        /// <summary>The service's id of the request, or null.</summary>
        public string RequestId { get; private set; }
        /// <summary>Where in the library a defect happened, or null.</summary>
        public string Location { get; private set; }
        /// <summary>How long the service asked to wait, or null.</summary>
        public TimeSpan? RetryAfter { get; private set; }
        /// <summary>Whether the same call may succeed later.</summary>
        public bool IsTransient { get; private set; }

        /// <summary>An error of the caller itself, in the library's form.</summary>
        public NativeError(int code, string category, string area, string target, string message)
        {
            Code = code;
            Category = category;
            Area = area;
            Target = target;
            Message = message;
        }

        private NativeError()
        {
        }

        /// <summary>What a row reports of its object.</summary>
        public static NativeError OfRow(IObjectRow row)
        {
            CodeInfo info = CodeInfo.Of((int)row.ErrorCode.Value);
            return new NativeError((int)row.ErrorCode.Value, info.Category, info.Area, row.GetIdentity(), row.Error)
            {
                IsTransient = info.IsTransient
            };
        }

        /// <summary>Reads an error and frees it; a NULL error still is one.</summary>
        internal static NativeError Take(int status, IntPtr error)
        {
            NativeError taken = new NativeError();
            if (error == IntPtr.Zero)
            {
                taken.Code = status;
                taken.Category = "internal";
                taken.Area = "host";
                return taken;
            }
            taken.Code = Native.ErrorCode(error);
            taken.Category = Read(Native.ErrorCategory, error);
            taken.Area = Read(Native.ErrorArea, error);
            taken.Target = Read(Native.ErrorTarget, error);
            taken.Message = Read(Native.ErrorMessage, error);
            taken.RequestId = Read(Native.ErrorRequestId, error);
            taken.Location = Read(Native.ErrorLocation, error);
            taken.IsTransient = Native.ErrorIsTransient(error) == 1;
            long retryAfter = Native.ErrorRetryAfterMs(error);
            taken.RetryAfter = retryAfter < 0 ? (TimeSpan?)null : TimeSpan.FromMilliseconds(retryAfter);
            Native.ErrorFree(error);
            return taken;
        }

        private static string Read(Native.ErrorText get, IntPtr error)
        {
            IntPtr text = IntPtr.Zero;
            UIntPtr length = UIntPtr.Zero;
            return get(error, ref text, ref length) == 0 ? Utf8.Get(text, length) : null;
        }
    }

    /// <summary>The exception of an ErrorRecord.</summary>
    [Serializable]
    public sealed class NativeException : Exception
    {
        /// <summary>Stable number, see <see cref="SmimeSync.Code"/>.</summary>
        public int Code { get; private set; }
        /// <summary>Kind of trouble, such as "auth".</summary>
        public string Category { get; private set; }
        /// <summary>Whether the same call may succeed later.</summary>
        public bool IsTransient { get; private set; }
        /// <summary>How long the service asked to wait, or null.</summary>
        public TimeSpan? RetryAfter { get; private set; }
        /// <summary>The service's id of the request, or null.</summary>
        public string RequestId { get; private set; }
        /// <summary>Where in the library a defect happened, or null.</summary>
        public string Location { get; private set; }

        /// <summary>Wraps an error; the message is the sentence a person is shown.</summary>
        public NativeException(NativeError error, string message) : base(message)
        {
            Code = error.Code;
            Category = error.Category;
            IsTransient = error.IsTransient;
            RetryAfter = error.RetryAfter;
            RequestId = error.RequestId;
            Location = error.Location;
        }
    }

    /// <summary>Something worth knowing that happened during a verb.</summary>
    public sealed class Event
    {
        /// <summary>1 error, 2 warning, 3 information, 4 debug.</summary>
        public int Level { get; internal set; }
        /// <summary>Stable number.</summary>
        public int Code { get; internal set; }
        /// <summary>One line in the session's culture.</summary>
        public string Text { get; internal set; }
    }

    /// <summary>How far a verb has come.</summary>
    public sealed class Progress
    {
        /// <summary>0 starting, 1 reading people, 2 reading recipients, 3 judging, 4 planning, 5 writing.</summary>
        public int Phase { get; internal set; }
        /// <summary>Objects done in this phase.</summary>
        public long Done { get; internal set; }
        /// <summary>Objects in all; 0 while unknown.</summary>
        public long Total { get; internal set; }
        /// <summary>Objects that failed.</summary>
        public long Failed { get; internal set; }
    }

    /// <summary>A configuration, connections, a store.</summary>
    public sealed class Session : IDisposable
    {
        private readonly SessionHandle handle;

        /// <summary>Why it could not be opened; null for an open session.</summary>
        public NativeError Error { get; private set; }

        private Session(SessionHandle handle, NativeError error)
        {
            this.handle = handle;
            Error = error;
        }

        /// <summary>Opens a session of a JSON configuration in UTF-8, whose bytes are zeroed. Look at Error.</summary>
        public static Session Open(byte[] configuration)
        {
            IntPtr session = IntPtr.Zero, error = IntPtr.Zero;
            int status = Native.SessionOpen(configuration, Utf8.Length(configuration), ref session, ref error);
            Array.Clear(configuration, 0, configuration.Length);
            return status == 0
                ? new Session(new SessionHandle(session), null)
                : new Session(null, NativeError.Take(status, error));
        }

        /// <summary>Sets a secret below /exchange/auth or /directory/bind; null where that succeeds.</summary>
        public NativeError SetSecret(string pointer, SecureString secret)
        {
            NativeError failure = null;
            Secret.UseJson(secret, delegate(byte[] json) { failure = SetJson(pointer, json); });
            return failure;
        }

        /// <summary>Replaces one text of the configuration; null where that is fine.</summary>
        public NativeError Set(string pointer, string value)
        {
            return SetJson(pointer, Utf8.Bytes(Json.Quote(value)));
        }

        private NativeError SetJson(string pointer, byte[] json)
        {
            byte[] path = Utf8.Bytes(pointer);
            bool held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                IntPtr error = IntPtr.Zero;
                int status = Native.SessionSet(handle.DangerousGetHandle(), path, Utf8.Length(path), json,
                    Utf8.Length(json), ref error);
                return status == 0 ? null : NativeError.Take(status, error);
            }
            finally
            {
                if (held)
                {
                    handle.DangerousRelease();
                }
            }
        }

        /// <summary>Starts a verb with JSON options. A verb that cannot start is a cursor that is done and has an Error.</summary>
        public Cursor Start(string verb, string options)
        {
            Native.Verb function;
            if (!Native.Verbs.TryGetValue(verb, out function))
            {
                throw new ArgumentException(verb, "verb");
            }
            byte[] json = Utf8.Bytes(options ?? "");
            bool held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                IntPtr cursor = IntPtr.Zero, error = IntPtr.Zero;
                int status = function(handle.DangerousGetHandle(), json, Utf8.Length(json), ref cursor, ref error);
                return status == 0
                    ? new Cursor(new CursorHandle(cursor), RowTypes.Of(verb))
                    : new Cursor(NativeError.Take(status, error));
            }
            finally
            {
                if (held)
                {
                    handle.DangerousRelease();
                }
            }
        }

        /// <summary>Cancels what runs and closes; a second time is fine.</summary>
        public void Dispose()
        {
            if (handle != null)
            {
                handle.Dispose();
            }
        }
    }

    internal sealed class SessionHandle : SafeHandle
    {
        internal SessionHandle(IntPtr session) : base(IntPtr.Zero, true)
        {
            SetHandle(session);
        }

        public override bool IsInvalid
        {
            get { return handle == IntPtr.Zero; }
        }

        protected override bool ReleaseHandle()
        {
            Native.SessionClose(handle);
            return true;
        }
    }

    internal sealed class CursorHandle : SafeHandle
    {
        internal CursorHandle(IntPtr cursor) : base(IntPtr.Zero, true)
        {
            SetHandle(cursor);
        }

        public override bool IsInvalid
        {
            get { return handle == IntPtr.Zero; }
        }

        protected override bool ReleaseHandle()
        {
            Native.CursorFree(handle);
            return true;
        }
    }

    /// <summary>UTF-8 as the ABI wants it: strict in both directions.</summary>
    internal static class Utf8
    {
        private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        [ThreadStatic]
        private static byte[] buffer;

        internal static byte[] Bytes(string text)
        {
            return Strict.GetBytes(text);
        }

        internal static UIntPtr Length(byte[] bytes)
        {
            return new UIntPtr((uint)bytes.Length);
        }

        internal static string Get(IntPtr text, UIntPtr length)
        {
            if (text == IntPtr.Zero)
            {
                return null;
            }
            int count = checked((int)length.ToUInt32());
            if (buffer == null || buffer.Length < count)
            {
                buffer = new byte[Math.Max(count, 1024)];
            }
            Marshal.Copy(text, buffer, 0, count);
            return Strict.GetString(buffer, 0, count);
        }
    }

    /// <summary>Hands a secret out as a JSON string in pinned memory and zeroes every copy of it.</summary>
    internal static class Secret
    {
        internal static void UseJson(SecureString secret, Action<byte[]> use)
        {
            IntPtr text = IntPtr.Zero;
            char[] escaped = new char[secret.Length * 6 + 2];
            GCHandle escapedPin = GCHandle.Alloc(escaped, GCHandleType.Pinned);
            byte[] json = null;
            GCHandle jsonPin = default(GCHandle);
            try
            {
                text = Marshal.SecureStringToGlobalAllocUnicode(secret);
                int length = Escape(text, secret.Length, escaped);
                json = new byte[Encoding.UTF8.GetByteCount(escaped, 0, length)];
                jsonPin = GCHandle.Alloc(json, GCHandleType.Pinned);
                Encoding.UTF8.GetBytes(escaped, 0, length, json, 0);
                use(json);
            }
            finally
            {
                Array.Clear(escaped, 0, escaped.Length);
                escapedPin.Free();
                if (jsonPin.IsAllocated)
                {
                    Array.Clear(json, 0, json.Length);
                    jsonPin.Free();
                }
                if (text != IntPtr.Zero)
                {
                    Marshal.ZeroFreeGlobalAllocUnicode(text);
                }
            }
        }

        private static int Escape(IntPtr text, int length, char[] escaped)
        {
            const string Digits = "0123456789abcdef";
            int count = 0;
            escaped[count++] = '"';
            for (int index = 0; index < length; index++)
            {
                char letter = (char)Marshal.ReadInt16(text, index * 2);
                if (letter >= ' ' && letter != '"' && letter != '\\')
                {
                    escaped[count++] = letter;
                    continue;
                }
                escaped[count++] = '\\';
                escaped[count++] = 'u';
                escaped[count++] = '0';
                escaped[count++] = '0';
                escaped[count++] = Digits[letter >> 4];
                escaped[count++] = Digits[letter & 15];
            }
            escaped[count++] = '"';
            return count;
        }
    }
}
