using Tally.Bench.Client;

namespace Tally.Bench.Workloads;

/// <summary>
/// Draws the next fingerprint. Numbers are spread over twelve digits as hashes would be, so that neighbours in time are
/// not neighbours in an index.
/// </summary>
internal static class Draw
{
    public const int HotFingerprints = 1_000;
    public const int MixedFingerprints = 1_000_000;

    /// <summary>Where the mixed fingerprints begin, the new ones, and those that <c>fill_events.sql</c> adds.</summary>
    public const long MixedFrom = 1_000_000, NewFrom = 1_000_000_000, FilledFrom = 10_000_000_000;

    // The two have no common divisor, so no two numbers meet. fill_events.sql gets the same two.
    public const long Stride = 7_654_321, Modulus = 1_000_000_000_000;

    // A repeat comes this many rounds of three requests after its first, more than are ever under way at once.
    private const int RepeatRoundsLater = 300;

    private const int PagesEach = 10;
    private const int Seed = 5;

    public static long Spread(long number) => number * Stride % Modulus;

    /// <summary>Any of a thousand.</summary>
    public static Func<Numbers> Hot()
    {
        var random = new Random(Seed);
        return () => new(Spread(random.Next(HotFingerprints)), 0);
    }

    /// <summary>Any of the thousand of <see cref="Hot"/>, and as id one of the ten pages that it reads.</summary>
    public static Func<Numbers> HotPages()
    {
        var random = new Random(Seed);
        return () =>
        {
            var number = random.Next(HotFingerprints);
            return new(Spread(number), number * PagesEach + random.Next(PagesEach));
        };
    }

    /// <summary>The thousand of <see cref="Hot"/>, one after another.</summary>
    public static Func<Numbers> EachHot()
    {
        long number = 0;
        return () => new(Spread(number++ % HotFingerprints), 0);
    }

    /// <summary>A new one each time.</summary>
    public static Func<Numbers> New()
    {
        var number = NewFrom;
        return () => new(Spread(number++), 0);
    }

    /// <summary>One of a million, the nth with a probability proportional to 1/n.</summary>
    public static Func<Numbers> Mixed()
    {
        var zipf = new Zipf(MixedFingerprints, Seed);
        return () => new(Spread(MixedFrom + zipf.Next()), 0);
    }

    /// <summary>
    /// The thousand of <see cref="Hot"/>, each event with an id. Half of the ids are sent a second time.
    /// </summary>
    public static Func<Numbers> Repeats()
    {
        long step = 0;
        return () =>
        {
            var (round, place) = Math.DivRem(step++, 3);
            // In the first rounds there is nothing to repeat yet.
            if (place == 2 && round < RepeatRoundsLater) (round, place) = Math.DivRem(step++, 3);
            return Of(place < 2 ? 2 * round + place : 2 * (round - RepeatRoundsLater));
        };
        static Numbers Of(long id) => new(Spread(Spread(id) % HotFingerprints), id);
    }
}
