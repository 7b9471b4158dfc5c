namespace Tally.Silo.Storage;

/// <summary>The keys that protect the cookies of people's sessions.</summary>
public abstract partial class SqlStorage
{
    private readonly string readSessionKeys = scripts["read_session_keys"];
    private readonly string addSessionKey = scripts["add_session_key"];

    public async Task<IReadOnlyList<string>> ReadSessionKeys() =>
        await Query(readSessionKeys, row => row.GetString(0));

    public Task AddSessionKey(string name, string xml) =>
        Query(addSessionKey, _ => 0, Parameter("name", name), Parameter("xml", xml));
}
