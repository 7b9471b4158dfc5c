using System.Buffers;
using System.Text;
using System.Text.Json;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>
/// What a batch adds to the dimensions as a JSON array of [day, product, dimension, value, events, fingerprints], which
/// SQLite reads.
/// </summary>
internal static class DimensionJson
{
    public static string Write(DimensionDelta delta)
    {
        var fingerprints = Enumerable.Range(0, delta.Places.Count)
            .ToLookup(i => delta.Places[i], i => delta.Fingerprints[i]);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, VisitJson.Plain))
        {
            json.WriteStartArray();
            for (var i = 0; i < delta.Values.Count; i++)
            {
                var key = delta.Values[i];
                json.WriteStartArray();
                json.WriteStringValue(SqliteStorage.Text(key.Day));
                json.WriteStringValue(key.Product);
                json.WriteStringValue(key.Dimension);
                json.WriteStringValue(key.Value);
                json.WriteNumberValue(delta.Events[i]);
                json.WriteStartArray();
                foreach (var fingerprint in fingerprints[i]) json.WriteStringValue(fingerprint);
                json.WriteEndArray();
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
