using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Access;

/// <summary>The keys that protect sessions' cookies, in the database, so that all silos have the same.</summary>
internal sealed class SessionKeys(SqlStorage storage) : IXmlRepository
{
    // Asked for once a day. The interface is synchronous.
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. storage.ReadSessionKeys().GetAwaiter().GetResult().Select(xml => XElement.Parse(xml))];

    public void StoreElement(XElement element, string friendlyName) => storage.AddSessionKey(
        friendlyName, element.ToString(SaveOptions.DisableFormatting)).GetAwaiter().GetResult();
}
