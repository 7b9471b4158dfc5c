using System.Text;
using Tally.Contracts;
using Tally.Silo.Http.Json;
using Tally.Silo.Settings;

namespace Tally.Silo.Http.Derived;

/// <summary>
/// Properties that the server adds to an event: what its request says about the visitor, and its channel. The user
/// agent and the address themselves are not kept. An event that has such a property already keeps it, so that an
/// imported one stays as it was.
/// </summary>
internal sealed class DerivedProperties(DerivedSettings settings, Limits limits)
{
    /// <summary>What adds them to a request's events; null if nothing is derived.</summary>
    public Func<string?, string?>? For(HttpRequest request)
    {
        if (!settings.ReadsRequests && !settings.Channel) return null;
        var ofRequest = Read(request);
        return properties => AddTo(properties, ofRequest);
    }

    private List<(string Name, string Value)> Read(HttpRequest request)
    {
        var derived = new List<(string, string)>(4);
        if (request.Headers.UserAgent.ToString() is { Length: > 0 } agent)
        {
            if (settings.Browser) derived.Add((EventProperties.Browser, UserAgent.BrowserOf(agent)));
            if (settings.System) derived.Add((EventProperties.System, UserAgent.SystemOf(agent)));
            if (settings.Device) derived.Add((EventProperties.Device, UserAgent.DeviceOf(agent)));
        }
        if (settings.Countries is { } countries && request.HttpContext.Connection.RemoteIpAddress is { } address
            && countries.Find(address) is { } country) derived.Add((EventProperties.Country, country));
        return derived;
    }

    // The event matters more than what would make its properties too long.
    private string? AddTo(string? properties, List<(string Name, string Value)> ofRequest)
    {
        var all = ofRequest;
        if (settings.Channel && Channel.Find(properties) is { } channel)
            all = [.. ofRequest, (EventProperties.Channel, channel)];
        if (all.Count == 0) return properties;
        var with = PropertiesJson.WithMissing(properties, all);
        return Encoding.UTF8.GetByteCount(with) <= limits.PropertiesBytesMax ? with : properties;
    }
}
