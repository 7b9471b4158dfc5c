using Spectre.Console;

namespace Tally.Silo.CommandLine;

/// <summary>Shows the progress of a long command on a terminal, and nothing elsewhere.</summary>
internal static class TransferProgress
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);
    private static readonly IAnsiConsole Terminal =
        AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Writes a line to standard error, above the bar if there is one.</summary>
    public static void Tell(string line)
    {
        if (Console.IsErrorRedirected) Console.Error.WriteLine(line);
        else Terminal.WriteLine(line);
    }

    /// <param name="tally">Shown beside the bar.</param>
    /// <param name="measure">How much is done, and of how much; null if that is not known.</param>
    /// <param name="run">The work.</param>
    public static Task Show(object tally, Func<(long Done, long All)?> measure, Func<Task> run)
    {
        if (Console.IsErrorRedirected) return run();
        return Terminal.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(),
                new TaskDescriptionColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(Markup.Escape($"{tally}"));
                var running = run();
                do
                {
                    var measured = measure();
                    bar.IsIndeterminate = measured is null;
                    if (measured is var (done, all)) (bar.MaxValue, bar.Value) = (Math.Max(all, 1), done);
                    bar.Description = Markup.Escape($"{tally}");
                }
                while (await Task.WhenAny(running, Task.Delay(Every)) != running);
                await running;
                (bar.IsIndeterminate, bar.Value, bar.Description) = (false, bar.MaxValue, Markup.Escape($"{tally}"));
            });
    }
}
