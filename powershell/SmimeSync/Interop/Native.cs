// The functions of include/smimesync.h as delegates, bound to one library by its absolute path.

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace SmimeSync
{
    /// <summary>Why the library could not be loaded.</summary>
    public enum LoadFailure
    {
        /// <summary>It is loaded.</summary>
        None,
        /// <summary>The file is damaged, of another architecture, or needs something that is absent.</summary>
        Unloadable,
        /// <summary>The file is another library, or misses a function.</summary>
        MissingFunction,
        /// <summary>Its ABI does not fit.</summary>
        WrongAbi,
        /// <summary>This process has loaded another file before; a library is never unloaded.</summary>
        OtherLoaded
    }

    /// <summary>The library as a whole.</summary>
    public static class Library
    {
        /// <summary>The ABI this binding was written for: major in the upper half, minor in the lower.</summary>
        public const uint AbiVersion = 1;

        private static readonly object Gate = new object();

        /// <summary>The file that is loaded, or null.</summary>
        public static string Path { get; private set; }
        /// <summary>What the failure is about: the loader's words, a function, an ABI version, a path.</summary>
        public static string Detail { get; private set; }

        /// <summary>The library's version; null before it is loaded.</summary>
        public static string Version
        {
            get { return Path == null ? null : Marshal.PtrToStringAnsi(Native.Version()); }
        }

        /// <summary>Loads the library of an absolute path. Loading the same one again is fine.</summary>
        public static LoadFailure Load(string path)
        {
            lock (Gate)
            {
                if (Path != null)
                {
                    Detail = Path;
                    return Path == path ? LoadFailure.None : LoadFailure.OtherLoaded;
                }
                LoadFailure failure = Bind(path);
                Path = failure == LoadFailure.None ? path : null;
                return failure;
            }
        }

        private static LoadFailure Bind(string path)
        {
            IntPtr library;
            try
            {
                library = Loader.Open(path);
            }
            catch (Exception exception)
            {
                Detail = exception.GetBaseException().Message;
                return LoadFailure.Unloadable;
            }
            Detail = Native.Bind(library);
            if (Detail != null)
            {
                return LoadFailure.MissingFunction;
            }
            uint found = Native.AbiVersion();
            if (found >> 16 != AbiVersion >> 16 || found < AbiVersion)
            {
                Detail = (found >> 16) + "." + (found & 0xFFFF);
                return LoadFailure.WrongAbi;
            }
            return LoadFailure.None;
        }
    }

    /// <summary>What each operating system and each .NET has for loading a library by its path.</summary>
    internal static class Loader
    {
        private const uint DllLoadDirAndSystem32 = 0x100 | 0x800;

        private static readonly Type NativeLibrary = Type.GetType("System.Runtime.InteropServices.NativeLibrary");

        internal static IntPtr Open(string path)
        {
            if (System.IO.Path.DirectorySeparatorChar == '\\')
            {
                IntPtr library = LoadLibraryEx(path, IntPtr.Zero, DllLoadDirAndSystem32);
                return library != IntPtr.Zero ? library : Fail(new System.ComponentModel.Win32Exception().Message);
            }
            if (NativeLibrary != null)
            {
                MethodInfo load = NativeLibrary.GetMethod("Load", new Type[] { typeof(string) });
                return (IntPtr)load.Invoke(null, new object[] { path });
            }
            IntPtr opened = DlOpen(path, 2);
            return opened != IntPtr.Zero ? opened : Fail(Marshal.PtrToStringAnsi(DlError()));
        }

        /// <summary>The address of a function, or zero.</summary>
        internal static IntPtr Function(IntPtr library, string name)
        {
            if (System.IO.Path.DirectorySeparatorChar == '\\')
            {
                return GetProcAddress(library, name);
            }
            if (NativeLibrary != null)
            {
                MethodInfo get = NativeLibrary.GetMethod("TryGetExport");
                object[] arguments = new object[] { library, name, IntPtr.Zero };
                return (bool)get.Invoke(null, arguments) ? (IntPtr)arguments[2] : IntPtr.Zero;
            }
            return DlSym(library, name);
        }

        private static IntPtr Fail(string message)
        {
            throw new DllNotFoundException(message);
        }

        [DllImport("kernel32", EntryPoint = "LoadLibraryExW", CharSet = CharSet.Unicode, SetLastError = true)]
        private static extern IntPtr LoadLibraryEx(string path, IntPtr reserved, uint flags);

        [DllImport("kernel32", CharSet = CharSet.Ansi)]
        private static extern IntPtr GetProcAddress(IntPtr library, string name);

        [DllImport("libdl.so.2", EntryPoint = "dlopen")]
        private static extern IntPtr DlOpen(string path, int flags);

        [DllImport("libdl.so.2", EntryPoint = "dlsym")]
        private static extern IntPtr DlSym(IntPtr library, string name);

        [DllImport("libdl.so.2", EntryPoint = "dlerror")]
        private static extern IntPtr DlError();
    }

    /// <summary>The counters of the header.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeProgress
    {
        internal uint StructSize;
        internal uint Phase;
        internal ulong Done;
        internal ulong Total;
        internal ulong Failed;
        internal ulong WaitingMs;
    }

    /// <summary>One field per function: smimesync_session_open is SessionOpen, by rule.</summary>
    internal static class Native
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate uint Number();
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate IntPtr StaticText();
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Open(byte[] config, UIntPtr configLength, ref IntPtr session, ref IntPtr error);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Set(IntPtr session, byte[] pointer, UIntPtr pointerLength, byte[] value,
            UIntPtr valueLength, ref IntPtr error);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void Free(IntPtr handle);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Verb(IntPtr session, byte[] options, UIntPtr optionsLength, ref IntPtr cursor,
            ref IntPtr error);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Next(IntPtr cursor, uint timeoutMs, ref IntPtr error);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int TakeEvent(IntPtr cursor, ref int level, ref int code, ref IntPtr text,
            ref UIntPtr length);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int GetProgress(IntPtr cursor, ref NativeProgress progress);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Status(IntPtr handle);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate uint Count(IntPtr cursor);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int ColumnBytes(IntPtr cursor, uint column, ref IntPtr data, ref UIntPtr length);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int ColumnStatus(IntPtr cursor, uint column);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int ColumnNumber(IntPtr cursor, uint column, ref long value);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int ColumnCursor(IntPtr cursor, uint column, ref IntPtr rows);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate long Milliseconds(IntPtr error);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int ErrorText(IntPtr error, ref IntPtr text, ref UIntPtr length);

        internal static Number AbiVersion = null;
        internal static StaticText Version = null;
        internal static Open SessionOpen = null;
        internal static Set SessionSet = null;
        internal static Free SessionClose = null;
        internal static Verb Check = null;
        internal static Verb Fetch = null;
        internal static Verb Validate = null;
        internal static Verb Coverage = null;
        internal static Verb Keys = null;
        internal static Verb Recipients = null;
        internal static Verb Compare = null;
        internal static Verb Sync = null;
        internal static Verb Publish = null;
        internal static Verb Prune = null;
        internal static Verb Issuers = null;
        internal static Verb Runs = null;
        internal static Verb Changes = null;
        internal static Verb Settings = null;
        internal static Verb Columns = null;
        internal static Next CursorNext = null;
        internal static TakeEvent CursorEvent = null;
        internal static GetProgress CursorProgress = null;
        internal static Status CursorCancel = null;
        internal static Free CursorFree = null;
        internal static Count ColumnCount = null;
        internal static ColumnBytes ColumnName = null;
        internal static ColumnStatus ColumnDeclaredType = null;
        internal static ColumnStatus ColumnType = null;
        internal static ColumnBytes ColumnText = null;
        internal static ColumnNumber ColumnInt64 = null;
        internal static ColumnBytes ColumnBlob = null;
        internal static ColumnCursor ColumnRows = null;
        internal static Status ErrorCode = null;
        internal static Status ErrorIsTransient = null;
        internal static Milliseconds ErrorRetryAfterMs = null;
        internal static ErrorText ErrorMessage = null;
        internal static ErrorText ErrorCategory = null;
        internal static ErrorText ErrorArea = null;
        internal static ErrorText ErrorTarget = null;
        internal static ErrorText ErrorRequestId = null;
        internal static ErrorText ErrorLocation = null;
        internal static Free ErrorFree = null;

        /// <summary>The verbs by their names at the ABI.</summary>
        internal static readonly Dictionary<string, Verb> Verbs = new Dictionary<string, Verb>();

        /// <summary>Binds every field; the name of a function that is missing, or null.</summary>
        internal static string Bind(IntPtr library)
        {
            foreach (FieldInfo field in typeof(Native).GetFields(BindingFlags.Static | BindingFlags.NonPublic))
            {
                if (!typeof(Delegate).IsAssignableFrom(field.FieldType))
                {
                    continue;
                }
                string name = Names.ToNative(field.Name);
                IntPtr address = Loader.Function(library, "smimesync_" + name);
                if (address == IntPtr.Zero)
                {
                    return "smimesync_" + name;
                }
                Delegate function = Marshal.GetDelegateForFunctionPointer(address, field.FieldType);
                field.SetValue(null, function);
                if (field.FieldType == typeof(Verb))
                {
                    Verbs[name] = (Verb)function;
                }
            }
            return null;
        }
    }

    /// <summary>Names of the ABI (not_after) and of .NET (NotAfter), one from the other by rule.</summary>
    public static class Names
    {
        /// <summary>NotAfter to not_after.</summary>
        public static string ToNative(string name)
        {
            StringBuilder native = new StringBuilder();
            foreach (char letter in name)
            {
                if (char.IsUpper(letter) && native.Length > 0)
                {
                    native.Append('_');
                }
                native.Append(char.ToLowerInvariant(letter));
            }
            return native.ToString();
        }
    }
}
