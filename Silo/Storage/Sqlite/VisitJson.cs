using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>
/// A batch's visits as a JSON array of [day, fingerprint, product, events, first, last], which SQLite reads.
/// </summary>
internal static class VisitJson
{
    // It never becomes part of a web page, so nothing is escaped for one.
    public static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(VisitDelta visits)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartArray();
            for (var i = 0; i < visits.Events.Count; i++)
            {
                json.WriteStartArray();
                json.WriteStringValue(SqliteStorage.Text(visits.Days[i]));
                json.WriteStringValue(visits.Fingerprints[i]);
                json.WriteStringValue(visits.Products[i]);
                json.WriteNumberValue(visits.Events[i]);
                json.WriteStringValue(SqliteStorage.Text(visits.Firsts[i]));
                json.WriteStringValue(SqliteStorage.Text(visits.Lasts[i]));
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
