using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;

namespace SmimeSync.Host
{
    /// <summary>Codes from -1 to -99 are free for hosts.</summary>
    internal static class HostCode
    {
        internal const int Usage = -1;
    }

    /// <summary>The exit codes of a scheduled run.</summary>
    internal static class ExitCode
    {
        internal const int Done = 0;
        internal const int RowsFailed = 2;
        internal const int Guard = 3;
        internal const int Config = 10;
        internal const int Auth = 11;
        internal const int Directory = 12;
        internal const int Exchange = 13;
        internal const int Locked = 20;
        internal const int Cancelled = 30;
        internal const int Internal = 70;

        private static readonly Dictionary<string, int> ByCategory = new Dictionary<string, int>
        {
            { "guard", Guard }, { "config", Config }, { "invalid", Config }, { "not_found", Config },
            { "ambiguous", Config }, { "unsupported", Config }, { "auth", Auth }, { "denied", Auth },
            { "directory_incomplete", Directory }, { "throttled", Exchange }, { "locked", Locked },
            { "cancelled", Cancelled }, { "store", Internal }, { "internal", Internal }
        };

        private static readonly Dictionary<string, int> ByArea = new Dictionary<string, int>
        {
            { "directory", Directory }, { "exchange", Exchange }, { "trust", Config }, { "config", Config },
            { "host", Config }
        };

        internal static int Of(NativeError error)
        {
            int code;
            return ByCategory.TryGetValue(error.Category ?? "", out code) || ByArea.TryGetValue(error.Area ?? "", out code)
                ? code
                : Internal;
        }
    }

    /// <summary>Events and errors on standard error.</summary>
    internal static class Report
    {
        /// <summary>Prints an error as one JSON line; the exit code it leads to.</summary>
        internal static int Of(NativeError error)
        {
            StringBuilder line = new StringBuilder("{\"code\":");
            line.Append(error.Code.ToString(CultureInfo.InvariantCulture));
            Append(line, "category", error.Category);
            Append(line, "area", error.Area);
            Append(line, "target", error.Target);
            Append(line, "message", error.Message);
            Append(line, "request_id", error.RequestId);
            line.Append(",\"retry_after_ms\":");
            line.Append(error.RetryAfter == null
                ? "null"
                : ((long)error.RetryAfter.Value.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
            line.Append(error.IsTransient ? ",\"is_transient\":true}" : ",\"is_transient\":false}");
            Line(line.ToString());
            return ExitCode.Of(error);
        }

        /// <summary>Prints an error of this program itself in the same form.</summary>
        internal static int Own(int code, string category, string area, string target, string message)
        {
            return Of(new NativeError(code, category, area, target, message));
        }

        internal static string LevelName(int level)
        {
            return level == 1 ? "error" : level == 2 ? "warn" : level == 3 ? "info" : "debug";
        }

        internal static void Line(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text + "\n");
            using (Stream stream = Console.OpenStandardError())
            {
                stream.Write(bytes, 0, bytes.Length);
            }
        }

        private static void Append(StringBuilder line, string key, string value)
        {
            line.Append(",\"").Append(key).Append("\":").Append(value == null ? "null" : Json.Quote(value));
        }
    }
}
