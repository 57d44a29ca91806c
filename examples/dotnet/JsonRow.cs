using System;
using System.Globalization;
using System.Text;

namespace SmimeSync.Host
{
    /// <summary>A row as a JSON object, whatever its columns are.</summary>
    internal static class JsonRow
    {
        internal static string Of(RowReader row)
        {
            StringBuilder json = new StringBuilder();
            Append(json, row);
            return json.ToString();
        }

        private static void Append(StringBuilder json, RowReader row)
        {
            json.Append('{');
            for (uint column = 0; column < row.Count; column++)
            {
                json.Append(column == 0 ? "" : ",").Append(Json.Quote(row.Name(column))).Append(':');
                AppendValue(json, row, column);
            }
            json.Append('}');
        }

        private static void AppendValue(StringBuilder json, RowReader row, uint column)
        {
            switch (row.Type(column))
            {
                case ColumnType.Integer:
                    json.Append(row.Integer(column).Value.ToString(CultureInfo.InvariantCulture));
                    break;
                case ColumnType.Boolean:
                    json.Append(row.Boolean(column).Value ? "true" : "false");
                    break;
                case ColumnType.Time:
                    json.Append('"').Append(Time(row.Time(column).Value)).Append('"');
                    break;
                case ColumnType.Text:
                    json.Append(Json.Quote(row.Text(column)));
                    break;
                case ColumnType.Blob:
                    json.Append('"').Append(Convert.ToBase64String(row.Blob(column))).Append('"');
                    break;
                case ColumnType.List:
                    AppendNested(json, row, column, nested => json.Append(Json.Quote(nested.Text(0))));
                    break;
                case ColumnType.Rows:
                    AppendNested(json, row, column, nested => Append(json, nested));
                    break;
                default:
                    json.Append("null");
                    break;
            }
        }

        private static void AppendNested(StringBuilder json, RowReader row, uint column, Action<RowReader> append)
        {
            string separator = "[";
            row.ForEach(column, delegate(RowReader nested)
            {
                json.Append(separator);
                separator = ",";
                append(nested);
            });
            json.Append(separator == "[" ? "[]" : "]");
        }

        private static string Time(DateTime time)
        {
            string format = time.Millisecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            return time.ToString(format, CultureInfo.InvariantCulture);
        }
    }
}
