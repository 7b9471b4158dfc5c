using Tally.Silo.Storage;

namespace Tally.Silo.Import.Tools;

/// <summary>What an import is told about another tool's export.</summary>
/// <param name="Format">One of <see cref="ToolFormats.Names"/>; null to recognise it.</param>
/// <param name="Product">The events' product; null for the one that the export names.</param>
/// <param name="Salt">Of the fingerprints of access logs.</param>
public sealed record ToolSettings(string? Format = null, string? Product = null, string? Salt = null)
{
    /// <exception cref="StartupException">There is none.</exception>
    internal string RequiredProduct(string export) => Product
        ?? throw new StartupException($"{export} does not name its site: say -product=NAME");
}
