namespace Tally.Tests.Harness;

/// <summary>
/// Finds out which fingerprints live on one silo. That one is started with a limit of its own, above what a load
/// reaches; a fingerprint that meets it lives there.
/// </summary>
public static class Residents
{
    private const int Counters = 9; // as many pairs of product and action as a load has

    /// <summary>For the environment of the silo to be looked for.</summary>
    public static Dictionary<string, string> Marked { get; } = new() { ["Limits__CountersMax"] = $"{Counters}" };

    /// <summary>
    /// Posts events until the limit, if there is one; a fingerprint has <see cref="Counters"/> of them if it lives
    /// there.
    /// </summary>
    /// <returns>Those that live on the marked silo.</returns>
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
