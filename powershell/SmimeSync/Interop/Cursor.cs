// A verb at work: rows in batches for the pipeline, or one at a time for hosts that print any verb.

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;

namespace SmimeSync
{
    /// <summary>What the last step of a cursor brought.</summary>
    public enum CursorState
    {
        /// <summary>A row is current, or rows came and more may.</summary>
        Row = 1,
        /// <summary>There are no more rows; look at Error.</summary>
        Done = 2,
        /// <summary>Nothing came in the given time.</summary>
        Timeout = 3
    }

    /// <summary>What becomes of rows whose object failed.</summary>
    public enum FailedRows
    {
        /// <summary>They come out like any other: the failure is the answer.</summary>
        Emit,
        /// <summary>They come out and are listed in Failures.</summary>
        EmitAndList,
        /// <summary>They are listed in Failures only: there is nothing to come out.</summary>
        List
    }

    /// <summary>The rows of a verb.</summary>
    public sealed class Cursor : IDisposable
    {
        private readonly CursorHandle handle;
        private readonly RowBinder binder;
        private readonly List<Row> failures = new List<Row>();

        /// <summary>What the last step brought.</summary>
        public CursorState State { get; private set; }
        /// <summary>What ended the verb; null while it runs and where it ended well.</summary>
        public NativeError Error { get; private set; }
        /// <summary>What becomes of rows whose object failed.</summary>
        public FailedRows FailedRows { get; set; }
        /// <summary>Whether changes with the action none are left out.</summary>
        public bool SkipUnchanged { get; set; }

        internal Cursor(CursorHandle handle, Type rowType)
        {
            this.handle = handle;
            binder = rowType == null ? null : RowBinder.Of(rowType);
            State = CursorState.Timeout;
        }

        internal Cursor(NativeError error)
        {
            Error = error;
            State = CursorState.Done;
        }

        /// <summary>The rows of the last Next whose object failed, by the rule of FailedRows.</summary>
        public Row[] Failures
        {
            get { return failures.ToArray(); }
        }

        /// <summary>The current row after a Step; valid until the next call.</summary>
        public RowReader Current
        {
            get { return new RowReader(handle.DangerousGetHandle()); }
        }

        /// <summary>At most <paramref name="max"/> rows; waits for the first one only.</summary>
        public object[] Next(int max, int timeoutMs)
        {
            List<object> rows = new List<object>(Math.Min(max, 256));
            failures.Clear();
            if (handle == null)
            {
                return rows.ToArray();
            }
            bool held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                RowReader reader = new RowReader(handle.DangerousGetHandle());
                while (rows.Count < max)
                {
                    CursorState state = Step(rows.Count == 0 ? timeoutMs : 0);
                    if (state != CursorState.Row)
                    {
                        State = state == CursorState.Timeout && rows.Count > 0 ? CursorState.Row : state;
                        break;
                    }
                    Take((Row)binder.Make(reader), rows);
                }
            }
            finally
            {
                if (held)
                {
                    handle.DangerousRelease();
                }
            }
            return rows.ToArray();
        }

        private void Take(Row row, List<object> rows)
        {
            if (row.HasFailed && FailedRows != FailedRows.Emit)
            {
                failures.Add(row);
                if (FailedRows == FailedRows.List)
                {
                    return;
                }
            }
            AttributeChange change = row as AttributeChange;
            if (SkipUnchanged && change != null && change.Action == "none" && !row.HasFailed)
            {
                return;
            }
            rows.AddRange(row.Expand());
        }

        /// <summary>Goes to the next row, which Current reads then.</summary>
        public CursorState Step(int timeoutMs)
        {
            IntPtr error = IntPtr.Zero;
            int status = Native.CursorNext(handle.DangerousGetHandle(), (uint)timeoutMs, ref error);
            if (status < 0)
            {
                Error = NativeError.Take(status, error);
                status = (int)CursorState.Done;
            }
            State = (CursorState)status;
            GC.KeepAlive(this);
            return State;
        }

        /// <summary>The events since the last call.</summary>
        public Event[] TakeEvents()
        {
            List<Event> events = new List<Event>();
            int level = 0, code = 0;
            IntPtr text = IntPtr.Zero;
            UIntPtr length = UIntPtr.Zero;
            while (handle != null &&
                Native.CursorEvent(handle.DangerousGetHandle(), ref level, ref code, ref text, ref length) == 1)
            {
                events.Add(new Event { Level = level, Code = code, Text = Utf8.Get(text, length) });
            }
            GC.KeepAlive(this);
            return events.ToArray();
        }

        /// <summary>How far it has come.</summary>
        public Progress GetProgress()
        {
            NativeProgress progress = new NativeProgress();
            progress.StructSize = (uint)Marshal.SizeOf(typeof(NativeProgress));
            if (handle != null)
            {
                Native.CursorProgress(handle.DangerousGetHandle(), ref progress);
            }
            GC.KeepAlive(this);
            return new Progress
            {
                Phase = (int)progress.Phase,
                Done = (long)progress.Done,
                Total = (long)progress.Total,
                Failed = (long)progress.Failed
            };
        }

        /// <summary>Asks it to end; a write in flight is finished.</summary>
        public void Cancel()
        {
            if (handle != null && !handle.IsClosed)
            {
                Native.CursorCancel(handle.DangerousGetHandle());
            }
            GC.KeepAlive(this);
        }

        /// <summary>Cancels and frees; a second time is fine.</summary>
        public void Dispose()
        {
            if (handle != null)
            {
                handle.Dispose();
            }
        }
    }

    /// <summary>The columns of a current row. Valid until the cursor's next call.</summary>
    public struct RowReader
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        private readonly IntPtr cursor;

        internal RowReader(IntPtr cursor)
        {
            this.cursor = cursor;
        }

        /// <summary>How many columns there are.</summary>
        public uint Count
        {
            get { return Native.ColumnCount(cursor); }
        }

        /// <summary>The name of a column.</summary>
        public string Name(uint column)
        {
            IntPtr text = IntPtr.Zero;
            UIntPtr length = UIntPtr.Zero;
            Native.ColumnName(cursor, column, ref text, ref length);
            return Utf8.Get(text, length);
        }

        /// <summary>The declared type of a column.</summary>
        public ColumnType DeclaredType(uint column)
        {
            return (ColumnType)Native.ColumnDeclaredType(cursor, column);
        }

        /// <summary>The type of the current value: the declared one or Null.</summary>
        public ColumnType Type(uint column)
        {
            return (ColumnType)Native.ColumnType(cursor, column);
        }

        /// <summary>A text, or null.</summary>
        public string Text(uint column)
        {
            IntPtr text = IntPtr.Zero;
            UIntPtr length = UIntPtr.Zero;
            return Native.ColumnText(cursor, column, ref text, ref length) == 0 ? Utf8.Get(text, length) : null;
        }

        /// <summary>A whole number, a boolean as 0 or 1, a time as milliseconds since 1970 UTC; or null.</summary>
        public long? Integer(uint column)
        {
            long value = 0;
            return Native.ColumnInt64(cursor, column, ref value) == 0 ? value : (long?)null;
        }

        /// <summary>A boolean, or null.</summary>
        public bool? Boolean(uint column)
        {
            long? value = Integer(column);
            return value == null ? (bool?)null : value != 0;
        }

        /// <summary>A time in UTC, or null; times .NET cannot hold become its first or last one.</summary>
        public DateTime? Time(uint column)
        {
            long? value = Integer(column);
            if (value == null)
            {
                return null;
            }
            double first = (DateTime.MinValue - Epoch).TotalMilliseconds;
            double last = (DateTime.MaxValue - Epoch).TotalMilliseconds;
            return value <= first ? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)
                : value >= last ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)
                : Epoch.AddMilliseconds(value.Value);
        }

        /// <summary>Bytes, or null.</summary>
        public byte[] Blob(uint column)
        {
            IntPtr data = IntPtr.Zero;
            UIntPtr length = UIntPtr.Zero;
            if (Native.ColumnBlob(cursor, column, ref data, ref length) != 0 || data == IntPtr.Zero)
            {
                return null;
            }
            byte[] bytes = new byte[checked((int)length.ToUInt32())];
            Marshal.Copy(data, bytes, 0, bytes.Length);
            return bytes;
        }

        /// <summary>Calls <paramref name="each"/> for every nested row of a LIST or ROWS column.</summary>
        public void ForEach(uint column, Action<RowReader> each)
        {
            IntPtr rows = IntPtr.Zero, error = IntPtr.Zero;
            if (Native.ColumnRows(cursor, column, ref rows) != 0)
            {
                return;
            }
            try
            {
                RowReader reader = new RowReader(rows);
                while (Native.CursorNext(rows, 0, ref error) == 1)
                {
                    each(reader);
                }
            }
            finally
            {
                Native.CursorFree(rows);
            }
        }

        /// <summary>A LIST, or null.</summary>
        public TextList List(uint column)
        {
            if (Type(column) == ColumnType.Null)
            {
                return null;
            }
            List<string> texts = new List<string>();
            ForEach(column, delegate(RowReader row) { texts.Add(row.Text(0)); });
            return new TextList(texts);
        }

        /// <summary>A ROWS column as objects, or null.</summary>
        public RowList<T> Rows<T>(uint column) where T : Row
        {
            if (Type(column) == ColumnType.Null)
            {
                return null;
            }
            RowBinder binder = RowBinder.Of(typeof(T));
            List<T> rows = new List<T>();
            ForEach(column, delegate(RowReader row) { rows.Add((T)binder.Make(row)); });
            return new RowList<T>(rows);
        }
    }

    /// <summary>Column types of the ABI.</summary>
    public enum ColumnType
    {
        /// <summary>No value.</summary>
        Null = 0,
        /// <summary>A whole number.</summary>
        Integer = 1,
        /// <summary>UTF-8 text.</summary>
        Text = 2,
        /// <summary>Bytes.</summary>
        Blob = 3,
        /// <summary>0 or 1.</summary>
        Boolean = 4,
        /// <summary>Milliseconds since 1970 UTC.</summary>
        Time = 5,
        /// <summary>Nested rows of one text column.</summary>
        List = 6,
        /// <summary>Nested rows.</summary>
        Rows = 7
    }

    /// <summary>Fills objects of one class from rows: the column not_after goes to the property NotAfter, by rule.</summary>
    internal sealed class RowBinder
    {
        private delegate void Setter(object row, RowReader reader, uint column);

        private static readonly Dictionary<Type, RowBinder> Binders = new Dictionary<Type, RowBinder>();

        private readonly Func<object> create;
        private readonly Dictionary<string, Setter> setters = new Dictionary<string, Setter>();
        private volatile Setter[] byColumn;

        internal static RowBinder Of(Type type)
        {
            lock (Binders)
            {
                RowBinder binder;
                if (!Binders.TryGetValue(type, out binder))
                {
                    binder = new RowBinder(type);
                    Binders.Add(type, binder);
                }
                return binder;
            }
        }

        private RowBinder(Type type)
        {
            create = (Func<object>)Invoke("Creator", type);
            const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
            foreach (PropertyInfo property in type.GetProperties(All))
            {
                MethodInfo set = property.GetSetMethod(true);
                if (set != null)
                {
                    setters[Names.ToNative(property.Name)] = MakeSetter(type, property.PropertyType, set);
                }
            }
        }

        /// <summary>An object of the current row. A column no property stands for is of a newer library.</summary>
        internal object Make(RowReader reader)
        {
            if (byColumn == null)
            {
                Setter[] found = new Setter[reader.Count];
                for (uint column = 0; column < found.Length; column++)
                {
                    setters.TryGetValue(reader.Name(column), out found[column]);
                }
                byColumn = found;
            }
            object row = create();
            for (uint column = 0; column < byColumn.Length; column++)
            {
                if (byColumn[column] != null)
                {
                    byColumn[column](row, reader, column);
                }
            }
            return row;
        }

        private static Setter MakeSetter(Type row, Type value, MethodInfo set)
        {
            if (value == typeof(string))
            {
                return (Setter)Invoke("Bind", row, value, set, (Func<RowReader, uint, string>)((r, c) => r.Text(c)));
            }
            if (value == typeof(long?))
            {
                return (Setter)Invoke("Bind", row, value, set, (Func<RowReader, uint, long?>)((r, c) => r.Integer(c)));
            }
            if (value == typeof(bool?))
            {
                return (Setter)Invoke("Bind", row, value, set, (Func<RowReader, uint, bool?>)((r, c) => r.Boolean(c)));
            }
            if (value == typeof(DateTime?))
            {
                return (Setter)Invoke("Bind", row, value, set, (Func<RowReader, uint, DateTime?>)((r, c) => r.Time(c)));
            }
            if (value == typeof(byte[]))
            {
                return (Setter)Invoke("Bind", row, value, set, (Func<RowReader, uint, byte[]>)((r, c) => r.Blob(c)));
            }
            if (value == typeof(TextList))
            {
                return (Setter)Invoke("Bind", row, value, set, (Func<RowReader, uint, TextList>)((r, c) => r.List(c)));
            }
            return (Setter)InvokeGeneric("BindRows", new Type[] { row, value.GetGenericArguments()[0] }, set);
        }

        private static object Invoke(string method, Type row)
        {
            return InvokeGeneric(method, new Type[] { row });
        }

        private static object Invoke(string method, Type row, Type value, params object[] arguments)
        {
            return InvokeGeneric(method, new Type[] { row, value }, arguments);
        }

        private static object InvokeGeneric(string method, Type[] types, params object[] arguments)
        {
            MethodInfo generic = typeof(RowBinder).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic);
            return generic.MakeGenericMethod(types).Invoke(null, arguments);
        }

        private static Func<object> Creator<TRow>() where TRow : new()
        {
            return delegate { return new TRow(); };
        }

        private static Setter Bind<TRow, TValue>(MethodInfo set, Func<RowReader, uint, TValue> read)
        {
            Action<TRow, TValue> assign = (Action<TRow, TValue>)Delegate.CreateDelegate(typeof(Action<TRow, TValue>), set);
            return delegate(object row, RowReader reader, uint column) { assign((TRow)row, read(reader, column)); };
        }

        private static Setter BindRows<TRow, TNested>(MethodInfo set) where TNested : Row
        {
            return Bind<TRow, RowList<TNested>>(set, (reader, column) => reader.Rows<TNested>(column));
        }
    }
}
