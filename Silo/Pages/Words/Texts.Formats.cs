using System.Globalization;

namespace Tally.Silo.Pages.Words;

/// <summary>
/// Numbers and times. The process has no data of other cultures, so each language's forms are here; a browser's script
/// then uses those of its reader's region.
/// </summary>
public sealed partial class Texts
{
    private static readonly CultureInfo EnglishCulture = CultureInfo.InvariantCulture;
    private static readonly CultureInfo GermanCulture = MakeGerman();

    private CultureInfo Culture => language == Language.German ? GermanCulture : EnglishCulture;

    public string Number(long number) => number.ToString("N0", Culture);

    /// <summary>At most this many digits after the point.</summary>
    public string Rounded(double number, int digits = 1) => number.ToString("#,0." + new string('#', digits), Culture);

    /// <summary>A number on a chart's scale.</summary>
    public string Abbreviated(long number) => number switch
    {
        >= 1_000_000_000 => $"{Rounded(number / 1e9)}G",
        >= 1_000_000 => $"{Rounded(number / 1e6)}M",
        >= 1_000 => $"{Rounded(number / 1e3)}k",
        _ => Number(number),
    };

    /// <summary>A part of 1 in percent.</summary>
    public string Percent(double part) => (part * 100).ToString("0.0", Culture) + Say("%", "\u00a0%");

    /// <summary>A change in percent; null if it is too small to show.</summary>
    public string? Change(double now, double then)
    {
        var percent = Math.Round((now - then) * 100 / then, 1);
        if (percent == 0) return null;
        var format = Math.Abs(percent) < 10 ? "+0.0;-0.0" : "+#,0;-#,0";
        return percent.ToString(format, Culture).Replace('-', '\u2212') + Say("%", "\u00a0%");
    }

    /// <summary>A change of a part of 1, in percentage points.</summary>
    public string Points(double change)
    {
        var points = Math.Round(change * 100, 1);
        return points == 0 ? NoChange
            : points.ToString("+0.#;-0.#", Culture).Replace('-', '\u2212') + Say(" pts", "\u00a0Pp.");
    }

    public string Day(DateOnly day) => day.ToString(Say("d MMM yyyy", "d. MMM yyyy"), Culture);

    public string Hour(DateTime time) => time.ToString("HH:mm", Culture);

    public string Time(DateTime time) => time.ToString("HH:mm:ss", Culture);

    public string Moment(DateTime time) => $"{Day(DateOnly.FromDateTime(time))}, {Time(time)}";

    public string Minute(DateTime time) => $"{Day(DateOnly.FromDateTime(time))}, {Hour(time)}";

    /// <summary>A length of time by its two largest units.</summary>
    public string Length(TimeSpan length) => length switch
    {
        { TotalDays: >= 1 } => $"{length.Days} {Say("d", "T")} {length.Hours} h",
        { TotalHours: >= 1 } => $"{length.Hours} h {length.Minutes} min",
        { TotalMinutes: >= 1 } => $"{length.Minutes} min {length.Seconds} s",
        _ => $"{Rounded(length.TotalSeconds)} s",
    };

    private static CultureInfo MakeGerman()
    {
        var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (german.NumberFormat.NumberGroupSeparator, german.NumberFormat.NumberDecimalSeparator) = (".", ",");
        german.DateTimeFormat.AbbreviatedMonthNames = german.DateTimeFormat.AbbreviatedMonthGenitiveNames =
            ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.", ""];
        german.DateTimeFormat.AbbreviatedDayNames = ["So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"];
        return CultureInfo.ReadOnly(german);
    }
}
