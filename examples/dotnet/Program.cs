// smimesync-host in C#: runs one verb of the SmimeSync library and prints a JSON line for each row.
//
//     smimesync-host CONFIG.json VERB [OPTIONS.json]
//
// Arguments, output and exit codes are those of ../c/smimesync-host.c, byte for byte. The library is the file named by
// the environment variable SMIMESYNC_LIBRARY, else the one beside this program. Build, from the root of the repository:
//     mcs -langversion:5 -out:smimesync-host.exe examples/dotnet/*.cs powershell/SmimeSync/Interop/*.cs
// or: dotnet build examples/dotnet

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace SmimeSync.Host
{
    internal static class Program
    {
        private const int PollMs = 100;

        private static readonly HashSet<string> Verbs = new HashSet<string>
        {
            "check", "fetch", "validate", "coverage", "keys", "recipients", "compare", "sync", "publish", "prune",
            "issuers", "runs", "changes", "settings", "columns"
        };

        private static volatile bool interrupted;

        private static int Main(string[] arguments)
        {
            if (arguments.Length < 2 || arguments.Length > 3)
            {
                return Report.Own(HostCode.Usage, "invalid", "host", "smimesync-host", "usage: CONFIG.json VERB [OPTIONS.json]");
            }
            if (!Verbs.Contains(arguments[1]))
            {
                return Report.Own(HostCode.Usage, "invalid", "host", arguments[1], "unknown verb");
            }
            string path = LibraryPath();
            LoadFailure failure = Library.Load(path);
            if (failure != LoadFailure.None)
            {
                Report.Own(HostCode.Usage, "unsupported", "host", path, failure + ": " + Library.Detail);
                return ExitCode.Internal;
            }
            Console.CancelKeyPress += OnInterrupt;
            byte[] configuration;
            string options;
            int code = Input.ReadConfiguration(arguments[0], out configuration);
            if (code == ExitCode.Done)
            {
                code = Input.ReadOptions(arguments.Length == 3 ? arguments[2] : null, out options);
                return code == ExitCode.Done ? Run(configuration, arguments[1], options) : code;
            }
            return code;
        }

        private static string LibraryPath()
        {
            string named = Environment.GetEnvironmentVariable("SMIMESYNC_LIBRARY");
            if (!string.IsNullOrEmpty(named))
            {
                return Path.GetFullPath(named);
            }
            string file = Path.DirectorySeparatorChar == '\\' ? "smimesync.dll"
                : Directory.Exists("/System/Library") ? "libsmimesync.dylib"
                : "libsmimesync.so";
            return Path.Combine(AppDomain.CurrentDomain.BaseDirectory, file);
        }

        /// <summary>The first Ctrl+C cancels, the second one ends the process.</summary>
        private static void OnInterrupt(object sender, ConsoleCancelEventArgs arguments)
        {
            arguments.Cancel = !interrupted;
            interrupted = true;
        }

        private static int Run(byte[] configuration, string verb, string options)
        {
            using (Session session = Session.Open(configuration))
            {
                if (session.Error != null)
                {
                    return Report.Of(session.Error);
                }
                using (Cursor cursor = session.Start(verb, options))
                {
                    return cursor.Error != null ? Report.Of(cursor.Error) : PrintRows(cursor);
                }
            }
        }

        private static int PrintRows(Cursor cursor)
        {
            int result = ExitCode.Done;
            bool cancelled = false;
            using (Stream output = new BufferedStream(Console.OpenStandardOutput(), 65536))
            {
                while (true)
                {
                    if (interrupted && !cancelled)
                    {
                        cursor.Cancel();
                        cancelled = true;
                    }
                    CursorState state = cursor.Step(PollMs);
                    if (state == CursorState.Row)
                    {
                        byte[] line = Encoding.UTF8.GetBytes(JsonRow.Of(cursor.Current) + "\n");
                        output.Write(line, 0, line.Length);
                        result = HasFailed(cursor.Current) ? ExitCode.RowsFailed : result;
                    }
                    foreach (Event happened in cursor.TakeEvents())
                    {
                        Report.Line(Report.LevelName(happened.Level) + " " + happened.Code + " " + happened.Text);
                    }
                    if (cursor.Error != null)
                    {
                        output.Flush();
                        return Report.Of(cursor.Error);
                    }
                    if (state != CursorState.Row)
                    {
                        output.Flush();
                    }
                    if (state == CursorState.Done)
                    {
                        return result;
                    }
                }
            }
        }

        private static bool HasFailed(RowReader row)
        {
            for (uint column = 0; column < row.Count; column++)
            {
                if (row.Name(column) == "error_code")
                {
                    return row.Type(column) != ColumnType.Null;
                }
            }
            return false;
        }
    }
}
