using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Tally.Silo.Import;

/// <summary>What an import writes.</summary>
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class ImportJson : JsonSerializerContext;
