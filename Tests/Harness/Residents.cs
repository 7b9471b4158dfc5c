namespace Tally.Tests.Harness;

/// <summary>
/// Finds out which fingerprints live on one silo. That silo has its own limit, above what a load reaches; a fingerprint
/// that meets the limit lives there.
/// </summary>
public static class Residents
{
    private const int Counters = 9; // as many pairs of product and action as a load has

    /// <summary>The environment of the silo in question.</summary>
    public static Dictionary<string, string> Marked { get; } = new() { ["Limits__CountersMax"] = $"{Counters}" };

    /// <summary>
    /// Posts events until the limit, if there is one: <see cref="Counters"/> of them are accepted on the marked silo.
    /// </summary>
    /// <returns>The fingerprints that live on the marked silo.</returns>
    public static async Task<IReadOnlyList<string>> Find(AppProcess via, IEnumerable<string> fingerprints)
    {
        var found = new List<string>();
        foreach (var fingerprint in fingerprints)
            for (var pair = 0; pair <= Counters; pair++)
            {
                var answer = await via.PostForm($"action=pair-{pair}&product=p&fingerprint={fingerprint}");
                if (pair < Counters) Assert.Equal(200, answer.Status);
                else if (answer.Reason == "too_many_counters") found.Add(fingerprint);
                else Assert.Equal(200, answer.Status);
            }
        return found;
    }
}
