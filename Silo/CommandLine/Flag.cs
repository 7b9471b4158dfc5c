using System.CommandLine;

namespace Tally.Silo.CommandLine;

/// <summary>
/// A setting of the process: <c>-name</c> on the command line, else a file that its environment variable's name with
/// <c>_FILE</c> points to, else the variable itself, else its default. The file comes first because an image sets
/// variables to the defaults, and who names a file means it.
/// </summary>
internal sealed class Flag<T>
{
    private const int CharactersMax = 1 << 20;

    private readonly string[] variables;
    private readonly string fallback;
    private readonly Func<string, T> parse;

    /// <param name="name">The flag without its dash.</param>
    /// <param name="value">What its value is, for the help.</param>
    /// <param name="description">What it sets, for the help.</param>
    /// <param name="fallback">The default, in the form a user would write.</param>
    /// <param name="parse">Reads a value; throws <see cref="FormatException"/> with what was expected.</param>
    /// <param name="variables">Environment variables, the documented one first.</param>
    public Flag(string name, string value, string description, string fallback, Func<string, T> parse, params string[] variables)
    {
        (this.variables, this.fallback, this.parse) = (variables, fallback, parse);
        Option = new Option<string>("-" + name, "--" + name)
        {
            Description = $"{description}\n{variables[0]}, default {fallback}",
            HelpName = value,
            Recursive = true,
        };
    }

    public Option<string> Option { get; }

    /// <exception cref="UsageException">The value cannot be read; says where it came from, never what it was.</exception>
    public T Read(ParseResult result, Func<string, string?> environment)
    {
        var (source, text) = Find(result, environment);
        try
        {
            return parse(text);
        }
        catch (FormatException exception)
        {
            throw new UsageException($"{source}: {exception.Message}");
        }
    }

    private (string Source, string Text) Find(ParseResult result, Func<string, string?> environment)
    {
        if (result.GetResult(Option) is { Implicit: false }) return (Option.Name, result.GetValue(Option) ?? "");
        foreach (var variable in variables)
        {
            if (environment(variable + "_FILE") is { Length: > 0 } path) return (variable + "_FILE", ReadFile(variable, path));
            if (environment(variable) is { Length: > 0 } value) return (variable, value);
        }
        return ("the default", fallback);
    }

    // No more than any value needs: the file may be one without an end, such as a device.
    private static string ReadText(string path)
    {
        var text = new char[CharactersMax + 1];
        using var reader = new StreamReader(path);
        var length = reader.ReadBlock(text);
        return length <= CharactersMax ? new(text, 0, length) : throw new IOException($"it is longer than {CharactersMax} characters");
    }

    // One line end at the file's end is the editor's, not the secret's.
    private static string ReadFile(string variable, string path)
    {
        try
        {
            var text = ReadText(path);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{variable}_FILE: the file cannot be read: {exception.Message}");
        }
    }
}

/// <summary>A mistake in how the program was called: one line, exit code 2.</summary>
public sealed class UsageException(string message) : Exception(message);
