using System.Text.Json.Serialization;

namespace Tally.Silo.Import;

/// <summary>What an import writes.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class ImportJson : JsonSerializerContext;
