using System.Globalization;

namespace Tally.Silo.Pages;

/// <summary>Numbers and times as the pages show them.</summary>
internal static class Format
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Number(long number) => number.ToString("N0", Culture);

    /// <summary>A number on a chart's scale.</summary>
    public static string Short(long number) => number switch
    {
        >= 1_000_000_000 => $"{Rounded(number / 1e9)}G",
        >= 1_000_000 => $"{Rounded(number / 1e6)}M",
        >= 1_000 => $"{Rounded(number / 1e3)}k",
        _ => Number(number),
    };

    /// <summary>A change in percent; null if it is too small to show.</summary>
    public static string? Change(long now, long then)
    {
        var percent = Math.Round((now - then) * 100.0 / then, 1);
        if (percent == 0) return null;
        var format = Math.Abs(percent) < 10 ? "+0.0;-0.0" : "+#,0;-#,0";
        return percent.ToString(format, Culture).Replace('-', '\u2212') + "%";
    }

    /// <summary>A part of the largest, in percent.</summary>
    public static string Share(long part, long largest) => Decimal(largest == 0 ? 0 : part * 100.0 / largest);

    public static string Decimal(double number) => number.ToString("0.##", Culture);

    public static string Day(DateOnly day) => day.ToString("d MMM yyyy", Culture);

    public static string Hour(DateTime time) => time.ToString("HH:mm", Culture);

    public static string Time(DateTime time) => time.ToString("HH:mm:ss", Culture);

    /// <summary>A round number that is not less, for a scale with so many steps.</summary>
    public static long Ceiling(long largest, int steps)
    {
        var step = Math.Max(1, (largest + steps - 1) / steps);
        var power = (long)Math.Pow(10, Math.Floor(Math.Log10(step)));
        foreach (var times in (ReadOnlySpan<decimal>)[1, 1.5m, 2, 2.5m, 3, 4, 5, 7.5m])
            if (times * power is var round && round >= step && decimal.IsInteger(round)) return (long)round * steps;
        return 10 * power * steps;
    }

    private static string Rounded(double number) => number.ToString("0.#", Culture);
}
