using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Access;

/// <summary>The keys that protect sessions' cookies, in the database, so that all silos have the same.</summary>
internal sealed class SessionKeys(SqlStorage storage) : IXmlRepository
{
    private const int DayLength = 10; // 2026-01-02

    // Asked for once a day. The interface is synchronous.
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. storage.ReadSessionKeys().GetAwaiter().GetResult().Select(xml => XElement.Parse(xml))];

    // Silos that start together each make a key. By its day only one of them is kept, and then all read that one.
    public void StoreElement(XElement element, string friendlyName) => storage.AddSessionKey(
        element.Element("activationDate")?.Value[..DayLength] ?? friendlyName,
        element.ToString(SaveOptions.DisableFormatting)).GetAwaiter().GetResult();
}
