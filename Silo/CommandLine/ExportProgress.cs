using Spectre.Console;
using Tally.Silo.Export;

namespace Tally.Silo.CommandLine;

/// <summary>Shows an export's progress on a terminal, and nothing elsewhere.</summary>
internal static class ExportProgress
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    /// <param name="tally">Shown beside the bar.</param>
    /// <param name="count">How many rows there may be.</param>
    /// <param name="run">The export.</param>
    public static Task Show(ExportTally tally, Func<Task<long?>> count, Func<Task> run)
    {
        if (Console.IsErrorRedirected) return run();
        return AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) }).Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(tally.ToString());
                var rows = tally.Rows is null ? null : await count();
                bar.MaxValue = Math.Max(rows ?? 1, 1);
                var running = run();
                do
                {
                    bar.IsIndeterminate = rows is null || tally.Rows > rows;
                    bar.Value = tally.Rows ?? 0;
                    bar.Description = Markup.Escape(tally.ToString());
                }
                while (await Task.WhenAny(running, Task.Delay(Every)) != running);
                await running;
                bar.Description = Markup.Escape(tally.ToString());
                bar.IsIndeterminate = false;
                bar.Value = bar.MaxValue;
            });
    }
}
