using System.Globalization;

namespace Tally.Silo.Export;

/// <summary>What an export has come to so far.</summary>
internal sealed class ExportTally
{
    /// <summary>Rows, where they can be told apart.</summary>
    public long? Rows;

    /// <summary>As they are without compression.</summary>
    public long Bytes;

    public override string ToString() => Rows is { } rows
        ? string.Create(CultureInfo.InvariantCulture, $"{rows} events exported, {Bytes} bytes")
        : string.Create(CultureInfo.InvariantCulture, $"{Bytes} bytes exported");
}
