using System.CommandLine;
using System.Text.Json;
using Tally.Silo.Settings;

namespace Tally.Silo.CommandLine;

/// <summary>
/// A setting: <c>-name</c> on the command line, else its environment variable, else its default. The variable's name
/// with <c>_FILE</c> added names a file with the value, which beats the variable: an image sets variables to the
/// defaults, so a file was named on purpose.
/// </summary>
/// <typeparam name="TSettings">What the value becomes a part of.</typeparam>
internal sealed class Flag<TSettings>
{
    private const int CharactersMax = 1 << 20;

    private readonly Func<TSettings, string, TSettings> bind;

    /// <param name="name">Without a dash. The variable has the same name: fooBar becomes APP_FOO_BAR.</param>
    /// <param name="value">What its value is, for the help.</param>
    /// <param name="fallback">The default, as a user would write it.</param>
    /// <param name="help">What it sets.</param>
    /// <param name="bind">Sets a value; throws <see cref="FormatException"/> with what was expected.</param>
    /// <param name="otherVariables">Also accepted, but not documented.</param>
    public Flag(string name, string value, string fallback, string help,
        Func<TSettings, string, TSettings> bind, params string[] otherVariables)
        : this(new Option<string>("-" + name, "--" + name) { HelpName = value }, name, fallback, help, bind,
            otherVariables)
    {
    }

    private Flag(Option option, string name, string fallback, string help, Func<TSettings, string, TSettings> bind,
        string[] otherVariables)
    {
        (Option, Default, this.bind) = (option, fallback, bind);
        Variables = ["APP_" + JsonNamingPolicy.SnakeCaseUpper.ConvertName(name), .. otherVariables];
        option.Description = $"{help}\n{Variables[0]}, default {fallback}";
        option.Recursive = true;
    }

    /// <summary>A flag that is set by its name alone: off unless it is given.</summary>
    /// <param name="name">Without a dash.</param>
    /// <param name="help">What it sets.</param>
    /// <param name="bind">Sets it.</param>
    public static Flag<TSettings> Switch(string name, string help, Func<TSettings, bool, TSettings> bind) =>
        new(new Option<bool>("-" + name, "--" + name), name, "false", help,
            (settings, text) => bind(settings, text switch
            {
                "" or "true" => true,
                "false" => false,
                _ => throw new FormatException("expected true or false"),
            }), []);

    public Option Option { get; }
    public string Default { get; }
    public IReadOnlyList<string> Variables { get; }

    /// <exception cref="UsageException">Says where an unreadable value came from, never what it was.</exception>
    public TSettings Bind(TSettings settings, ParseResult line)
    {
        var (source, text) = Find(line);
        try
        {
            return bind(settings, text);
        }
        catch (FormatException exception)
        {
            throw new UsageException($"{source}: {exception.Message}");
        }
    }

    private (string Source, string Text) Find(ParseResult line)
    {
        if (line.GetResult(Option) is { Implicit: false } given)
            return (Option.Name, given.Tokens is [var value, ..] ? value.Value : "");
        foreach (var variable in Variables)
        {
            if (Environment.GetEnvironmentVariable(variable + "_FILE") is { Length: > 0 } path)
                return (variable + "_FILE", ReadFile(variable, path));
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set) return (variable, set);
        }
        return ("the default", Default);
    }

    // One line end at the file's end is the editor's, not the secret's.
    private static string ReadFile(string variable, string path)
    {
        try
        {
            var text = ReadText(path);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2]
                : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{variable}_FILE: the file cannot be read: {exception.Message}");
        }
    }

    // Bounded: the path may name a device, which has no end.
    private static string ReadText(string path)
    {
        var text = new char[CharactersMax + 1];
        using var reader = new StreamReader(path);
        var length = reader.ReadBlock(text);
        return length <= CharactersMax ? new(text, 0, length)
            : throw new IOException($"it is longer than {CharactersMax} characters");
    }
}

internal static class FlagLists
{
    public static void AddTo<TSettings>(this IEnumerable<Flag<TSettings>> flags, Command command)
    {
        foreach (var flag in flags) command.Options.Add(flag.Option);
    }

    /// <param name="flags">All flags of the settings.</param>
    /// <param name="line">The command line.</param>
    /// <param name="unset">Settings before any flag is bound.</param>
    public static TSettings Bind<TSettings>(this IEnumerable<Flag<TSettings>> flags, ParseResult line,
        TSettings unset) =>
        flags.Aggregate(unset, (settings, flag) => flag.Bind(settings, line));
}
