using Spectre.Console;
using Tally.Silo.Import;

namespace Tally.Silo.CommandLine;

/// <summary>Shows an import's progress on a terminal, and nothing elsewhere.</summary>
internal static class ImportProgress
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);
    private static readonly IAnsiConsole Terminal = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>A line on standard error, above the bar where there is one.</summary>
    public static void Tell(string line)
    {
        if (Console.IsErrorRedirected) Console.Error.WriteLine(line);
        else Terminal.WriteLine(line);
    }

    /// <param name="tally">Shown beside the bar.</param>
    /// <param name="file">What is read; its length may be unknown.</param>
    /// <param name="run">The import.</param>
    public static Task Show(ImportTally tally, Stream file, Func<Task> run)
    {
        if (Console.IsErrorRedirected) return run();
        return Terminal.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(tally.ToString());
                var running = run();
                do
                {
                    bar.IsIndeterminate = file is not FileStream { CanSeek: true };
                    if (!bar.IsIndeterminate) (bar.MaxValue, bar.Value) = (Math.Max(file.Length, 1), file.Position);
                    bar.Description = Markup.Escape(tally.ToString());
                }
                while (await Task.WhenAny(running, Task.Delay(Every)) != running);
                await running;
                bar.Value = bar.MaxValue;
            });
    }
}
