using System;
using System.IO;
using System.Text;

namespace SmimeSync.Host
{
    /// <summary>The configuration and the options of the command line.</summary>
    internal static class Input
    {
        /// <summary>A configuration file. File names in it are relative to its folder.</summary>
        internal static int ReadConfiguration(string path, out byte[] configuration)
        {
            byte[] file;
            configuration = null;
            int code = ReadFile(path, out file);
            if (code == ExitCode.Done)
            {
                configuration = Configuration.Complete(file, Folder(path), null);
            }
            return code;
        }

        /// <summary>Null is no options, "-" standard input, text that starts with "{" the options themselves.</summary>
        internal static int ReadOptions(string argument, out string options)
        {
            options = argument;
            if (argument == null || argument.StartsWith("{", StringComparison.Ordinal))
            {
                return ExitCode.Done;
            }
            if (argument == "-")
            {
                using (StreamReader reader = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8))
                {
                    options = reader.ReadToEnd();
                }
                return ExitCode.Done;
            }
            byte[] file;
            int code = ReadFile(argument, out file);
            options = file == null ? null : Encoding.UTF8.GetString(file);
            return code;
        }

        private static int ReadFile(string path, out byte[] bytes)
        {
            bytes = null;
            try
            {
                bytes = File.ReadAllBytes(path);
                return ExitCode.Done;
            }
            catch (Exception exception)
            {
                if (exception is FileNotFoundException || exception is DirectoryNotFoundException)
                {
                    return Report.Own((int)Code.FileNotFound, "not_found", "config", path, "no such file");
                }
                if (exception is IOException || exception is UnauthorizedAccessException)
                {
                    return Report.Own((int)Code.FileUnreadable, "config", "config", path, "the file cannot be read");
                }
                throw;
            }
        }

        /// <summary>The folder of a file, absolute and otherwise as it was written.</summary>
        private static string Folder(string path)
        {
            string folder = Path.GetDirectoryName(path);
            if (folder == null)
            {
                return Path.GetPathRoot(path);
            }
            return folder == "" ? Environment.CurrentDirectory : Path.Combine(Environment.CurrentDirectory, folder);
        }
    }
}
