using Spectre.Console;
using Tally.Silo.Export;

namespace Tally.Silo.CommandLine;

/// <summary>How far an export is, for whoever watches a terminal. Elsewhere nothing is shown.</summary>
internal static class ExportProgress
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    public static Task Show(ExportTally tally, Func<Task> run)
    {
        if (Console.IsErrorRedirected) return run();
        return AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) }).Progress()
            .Columns(new ProgressBarColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(tally.ToString()).IsIndeterminate(); // nobody has counted what was asked for
                var running = run();
                do bar.Description = Markup.Escape(tally.ToString());
                while (await Task.WhenAny(running, Task.Delay(Every)) != running);
                await running;
                bar.Description = Markup.Escape(tally.ToString());
                bar.IsIndeterminate(false).Value = bar.MaxValue;
            });
    }
}
