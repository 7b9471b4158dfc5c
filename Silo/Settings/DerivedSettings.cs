using Tally.Contracts;

namespace Tally.Silo.Settings;

/// <summary>What the server adds to events' properties, and counts by.</summary>
/// <param name="Names">Some of browser, os, device and channel.</param>
/// <param name="Countries">Also the country, by this database; null for none.</param>
internal sealed record DerivedSettings(IReadOnlyList<string> Names, Countries? Countries)
{
    /// <summary>Each name that there is, and the property that has its value.</summary>
    public static readonly IReadOnlyDictionary<string, string> Properties = new Dictionary<string, string>
    {
        ["browser"] = EventProperties.Browser, ["os"] = EventProperties.System, ["device"] = EventProperties.Device,
        ["channel"] = EventProperties.Channel, ["country"] = EventProperties.Country,
    };

    public bool Browser => Names.Contains("browser");
    public bool System => Names.Contains("os");
    public bool Device => Names.Contains("device");
    public bool Channel => Names.Contains("channel");

    public bool ReadsRequests => Browser || System || Device || Countries is not null;

    /// <summary>Those that are on.</summary>
    public IEnumerable<string> All => Countries is null ? Names : Names.Append("country");
}
