using Tally.Grains;

namespace Tally.Tests.Pure;

/// <summary>The hint that spares new fingerprints a load.</summary>
public sealed class KnownOrNew
{
    [Fact]
    public void What_was_added_is_never_new_and_most_others_are()
    {
        const int Added = 100_000;
        var known = new KnownFingerprints(new() { KnownFingerprintsBytesMax = Added * 10 / 8 });
        known.Begin(removalEpoch: 7);
        Parallel.For(0, Added, i => known.Add($"added-{i}"));
        Assert.False(known.IsNew("other", out _)); // not yet
        known.Complete();
        Assert.DoesNotContain(Enumerable.Range(0, Added), i => known.IsNew($"added-{i}", out _));
        var others = Enumerable.Range(0, Added).Count(i => known.IsNew($"other-{i}", out _));
        Assert.InRange(others, Added * 97 / 100, Added);
        known.Add("other");
        Assert.False(known.IsNew("other", out _));
    }

    [Fact]
    public void It_says_as_of_when_it_knows()
    {
        var known = new KnownFingerprints(new());
        Assert.False(known.IsNew("a", out _));
        known.Begin(removalEpoch: 7);
        known.Complete();
        Assert.True(known.IsNew("a", out var epoch));
        Assert.Equal(7, epoch);
    }

    [Fact]
    public void Nothing_is_new_once_a_fingerprint_is_suppressed_or_all_is_forgotten()
    {
        var known = new KnownFingerprints(new());
        known.Begin(0);
        known.Complete();
        known.Clear();
        Assert.False(known.IsNew("a", out _));
        known.Begin(0);
        known.Complete();
        known.NoteSuppression();
        Assert.False(known.IsNew("a", out _));
        known.Begin(0);
        known.Complete();
        Assert.False(known.IsNew("a", out _));
    }

    [Fact]
    public void Without_memory_for_it_nothing_is_new()
    {
        var known = new KnownFingerprints(new() { KnownFingerprintsBytesMax = 0 });
        known.Begin(0);
        known.Add("a");
        known.Complete();
        Assert.False(known.IsNew("b", out _));
    }
}
