namespace Tally.Bench.Workloads;

/// <summary>Numbers from 0 up. The nth is as frequent as the first divided by n (Zipf's law, exponent 1).</summary>
internal sealed class Zipf
{
    private readonly Random random;
    private readonly double[] upTo; // the share of all draws that falls on this number and those before it

    public Zipf(int count, int seed)
    {
        random = new(seed);
        upTo = new double[count];
        var sum = 0.0;
        for (var i = 0; i < count; i++) upTo[i] = sum += 1.0 / (i + 1);
        for (var i = 0; i < count; i++) upTo[i] /= sum;
    }

    public int Next()
    {
        var found = Array.BinarySearch(upTo, random.NextDouble());
        return found >= 0 ? found : ~found;
    }
}
