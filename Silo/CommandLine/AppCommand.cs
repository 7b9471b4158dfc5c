using System.CommandLine;
using System.CommandLine.Help;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>
/// The command line of <c>app</c>: its sub-commands, and one line and an exit code for whatever goes wrong.
/// </summary>
internal static class AppCommand
{
    private const int FailureExitCode = 1;
    private const int UsageExitCode = 2;

    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> Run(string[] args)
    {
        try
        {
            return await RunCommand(args);
        }
        catch (UsageException exception)
        {
            return Mistake(exception.Message);
        }
        catch (StartupException exception)
        {
            return Failed(exception.Message);
        }
        catch (Exception exception)
        {
            // Nobody foresaw it: the type is for whoever it is reported to.
            return Failed($"{exception.Message} ({exception.GetType()})");
        }
    }

    private static async Task<int> RunCommand(string[] args)
    {
        var root = new RootCommand("""
            Tally, an event collector. POST /api/events answers 200 when the event is durably recorded and counted once.

            Write a flag as -flag=value or -flag value. Each flag has an environment variable, shown below with its
            default. The variable's name with _FILE added names a file with the value, which beats the variable. A flag
            beats the environment, which beats the default. Limits are set by environment variables only: Limits__NAME,
            such as Limits__QueueEventsMax.
            """);
        root.Options.Clear();
        root.Options.Add(new HelpOption("-help", "--help", "-h") { Description = "Show this" });
        AppFlags.All.AddTo(root);
        root.SetAction((line, cancellation) => ServeCommand.Run(ReadSettings(line)));
        root.Subcommands.Add(Subcommand("migrate", "Bring the database to this version, and exit", MigrateCommand.Run));
        root.Subcommands.Add(Subcommand("verify",
            "Fold the whole log and compare it with every snapshot and rollup; exit 1 on a difference",
            VerifyCommand.Run));
        root.Subcommands.Add(Rezone());
        root.Subcommands.Add(Subcommand("health",
            "Ask the app on this host whether it is ready; exit 0 or 1 (for a container's health check)",
            HealthCommand.Run));
        root.Subcommands.Add(ImportFlags.Command((line, import) => ImportCommand.Run(ReadSettings(line), import)));
        root.Subcommands.Add(ExportFlags.Command((line, export) => ExportCommand.Run(ReadSettings(line), export)));

        if (args is ["health"]) args = [.. args, .. HealthCommand.FlagsOfTheContainer()];
        var parsed =
            root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.UnmatchedTokens is [var unmatched, ..]) return Mistake(Unmatched(unmatched));
        if (parsed.Errors is [var first, ..]) return Mistake(first.Message);
        return await parsed.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static Command Subcommand(string name, string description, Func<AppSettings, Task<int>> run)
    {
        var command = new Command(name, description);
        command.SetAction((line, cancellation) => run(ReadSettings(line)));
        return command;
    }

    private static Command Rezone()
    {
        var zone = new Argument<string>("zone") { Description = "A name of the IANA database, such as Europe/Berlin" };
        var command = new Command("rezone",
            "Count the whole log anew by the days of another time zone, while no silo runs, and exit") { zone };
        command.SetAction((line, cancellation) => RezoneCommand.Run(ReadSettings(line), line.GetRequiredValue(zone)));
        return command;
    }

    private static AppSettings ReadSettings(ParseResult line) => AppFlags.All.Bind(line, new AppSettings());

    private static int Failed(string message)
    {
        Console.Error.WriteLine($"app: {OneLine(message)}");
        return FailureExitCode;
    }

    private static int Mistake(string message)
    {
        Console.Error.WriteLine($"app: {OneLine(message).TrimEnd('.')}. See app -help.");
        return UsageExitCode;
    }

    // A driver's message may have several.
    private static string OneLine(string message) =>
        string.Join(' ',
            message.Split(['\n', '\r'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    // Quotes no more than a flag's name: behind a mistyped flag the rest may be a URL with a password.
    private static string Unmatched(string token)
    {
        var name = string.Concat(token.TakeWhile(c => char.IsAsciiLetter(c) || c == '-'));
        return !token.StartsWith('-')
            ? "there is an argument that is neither a flag, a flag's value nor a command (migrate, verify, rezone, "
                + "health, import, export)"
            : name.Trim('-').Length > 0 ? $"{name}: there is no such flag; upper and lower case count"
                : "there is an argument that is no flag";
    }
}
