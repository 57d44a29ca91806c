// What hosts add to a configuration before it is opened, without moving what is in it.

using System;
using System.Globalization;
using System.Text;

namespace SmimeSync
{
    /// <summary>Adds members to a configuration's JSON text that it does not have itself.</summary>
    public static class Configuration
    {
        /// <summary>
        /// The configuration with base_dir and, unless null, culture. What is in it already stays; so does text that
        /// is no JSON object, which the library describes better. The bytes handed in are zeroed.
        /// </summary>
        public static byte[] Complete(byte[] json, string baseDirectory, string culture)
        {
            byte[] complete = Add(json, "base_dir", baseDirectory);
            return culture == null ? complete : Add(complete, "culture", culture);
        }

        private static byte[] Add(byte[] json, string key, string value)
        {
            bool empty;
            int slot = FindSlot(json, key, out empty);
            byte[] member = slot == 0
                ? new byte[0]
                : Utf8.Bytes((empty ? "" : ",") + "\"" + key + "\":" + Json.Quote(value));
            byte[] complete = new byte[json.Length + member.Length];
            Buffer.BlockCopy(json, 0, complete, 0, slot);
            Buffer.BlockCopy(member, 0, complete, slot, member.Length);
            Buffer.BlockCopy(json, slot, complete, slot + member.Length, json.Length - slot);
            Array.Clear(json, 0, json.Length);
            return complete;
        }

        /// <summary>The offset of the object's closing brace; 0 where there is no place for the key.</summary>
        private static int FindSlot(byte[] json, string key, out bool empty)
        {
            empty = true;
            int depth = 0;
            int index = SkipSpace(json, 0);
            if (index == json.Length || json[index] != '{')
            {
                return 0;
            }
            for (; index < json.Length; index++)
            {
                byte letter = json[index];
                if (letter == '"')
                {
                    int start = index + 1;
                    for (index = start; index < json.Length && json[index] != '"'; index++)
                    {
                        index += json[index] == '\\' ? 1 : 0;
                    }
                    if (index >= json.Length)
                    {
                        return 0;
                    }
                    int after = SkipSpace(json, index + 1);
                    bool isKey = depth == 1 && after < json.Length && json[after] == ':';
                    if (isKey && KeyEquals(json, start, index, key))
                    {
                        return 0;
                    }
                    empty = false;
                }
                else if (letter == '{' || letter == '[')
                {
                    depth++;
                }
                else if ((letter == '}' || letter == ']') && --depth == 0)
                {
                    return index;
                }
            }
            return 0;
        }

        private static int SkipSpace(byte[] json, int index)
        {
            while (index < json.Length && " \t\n\r".IndexOf((char)json[index]) >= 0)
            {
                index++;
            }
            return index;
        }

        /// <summary>Whether the inside of a JSON string stands for an ASCII name; only \uXXXX can hide letters.</summary>
        private static bool KeyEquals(byte[] json, int index, int end, string key)
        {
            foreach (char expected in key)
            {
                if (index >= end)
                {
                    return false;
                }
                int letter = json[index++];
                if (letter == '\\')
                {
                    string digits = index + 5 <= end ? Encoding.ASCII.GetString(json, index + 1, 4) : "";
                    bool isHex = int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out letter);
                    if (!isHex || json[index] != 'u')
                    {
                        return false;
                    }
                    index += 5;
                }
                if (letter != expected)
                {
                    return false;
                }
            }
            return index == end;
        }
    }

    /// <summary>JSON out.</summary>
    public static class Json
    {
        /// <summary>A text as a JSON string.</summary>
        public static string Quote(string text)
        {
            StringBuilder quoted = new StringBuilder(text.Length + 2);
            quoted.Append('"');
            foreach (char letter in text)
            {
                switch (letter)
                {
                    case '"': quoted.Append("\\\""); break;
                    case '\\': quoted.Append("\\\\"); break;
                    case '\n': quoted.Append("\\n"); break;
                    case '\r': quoted.Append("\\r"); break;
                    case '\t': quoted.Append("\\t"); break;
                    default:
                        if (letter < ' ')
                        {
                            quoted.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
                        }
                        else
                        {
                            quoted.Append(letter);
                        }
                        break;
                }
            }
            return quoted.Append('"').ToString();
        }
    }
}
