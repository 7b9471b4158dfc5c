using System.Globalization;

namespace Tally.Silo.Pages;

/// <summary>Numbers in drawings, and the scales beside them.</summary>
internal static class Svg
{
    public static string Number(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A number as machines read it.</summary>
    public static string Exact(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A part of the largest, in percent.</summary>
    public static string Share(long part, long largest) => Number(largest == 0 ? 0 : part * 100.0 / largest);

    /// <summary>A round number that is not less, for a scale with so many steps.</summary>
    public static long Ceiling(long largest, int steps)
    {
        var step = Math.Max(1, (largest + steps - 1) / steps);
        var power = (long)Math.Pow(10, Math.Floor(Math.Log10(step)));
        foreach (var times in (ReadOnlySpan<decimal>)[1, 1.5m, 2, 2.5m, 3, 4, 5, 7.5m])
            if (times * power is var round && round >= step && decimal.IsInteger(round)) return (long)round * steps;
        return 10 * power * steps;
    }
}
