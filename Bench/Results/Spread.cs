namespace Tally.Bench.Results;

/// <summary>The same quantity, measured in several turns.</summary>
internal sealed record Spread(IReadOnlyList<double> Turns)
{
    public double Median => Turns.Count == 0 ? double.NaN
        : (Sorted[(Turns.Count - 1) / 2] + Sorted[Turns.Count / 2]) / 2;

    public double Min => Turns.DefaultIfEmpty(double.NaN).Min();
    public double Max => Turns.DefaultIfEmpty(double.NaN).Max();

    private double[] Sorted => [.. Turns.Order()];
}
