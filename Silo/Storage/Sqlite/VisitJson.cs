using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>A batch's visits as one text, which SQLite takes apart: [[fingerprint, product, events, first, last], …].</summary>
internal static class VisitJson
{
    // Nothing of it goes into a page: what is escaped for those would only be longer.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(VisitDelta visits)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartArray();
            for (var i = 0; i < visits.Events.Count; i++)
            {
                json.WriteStartArray();
                json.WriteStringValue(visits.Fingerprints[i]);
                json.WriteStringValue(visits.Products[i]);
                json.WriteNumberValue(visits.Events[i]);
                json.WriteStringValue(SqliteEventLog.Text(visits.Firsts[i]));
                json.WriteStringValue(SqliteEventLog.Text(visits.Lasts[i]));
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
