using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>
/// What is counted, second by second. While anyone reads, the database is asked once a second, for all of this silo's
/// readers; each is told what has changed since it was told before, so what was missed in one second is in the next.
/// What readers are told is made once for all who ask for the same product, and not under the lock.
/// </summary>
internal sealed class CountStreams(LiveReaders readers, SqlStorage storage) : BackgroundService
{
    private const string All = ""; // no product's name

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim beginning = new(1);
    private readonly Lock gate = new(); // for what follows
    private readonly Dictionary<string, Audience> audiences = []; // by the product that they ask for
    private AllCounts? counts; // as of the last second; null while nobody reads

    /// <param name="context">Whose answer it is.</param>
    /// <param name="product">The only one to tell of; null for all.</param>
    public Task<IResult> Run(HttpContext context, string? product) => readers.Run(context, async reader =>
    {
        try
        {
            if (!await TellTotals(reader, product ?? All)) return Refusal.TooManyAnswers();
            await reader.WriteHanded();
            return null;
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.QuestionNotAnswered();
        }
        finally
        {
            Leave(reader, product ?? All);
        }
    });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await Tell();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    // What is added from here on is handed to the reader, which writes it behind this.
    private async Task<bool> TellTotals(LiveReader reader, string product)
    {
        var (totals, since) = await Join(reader, product);
        try
        {
            if (await totals.Text is not { } text) return false;
            await reader.Begin();
            await reader.Write(text.After(0));
            foreach (var added in since) await reader.Write(added.After(0));
            return true;
        }
        finally
        {
            lock (gate)
                if (totals.Taken() && audiences.TryGetValue(product, out var audience) && audience.Totals == totals)
                    audience.Totals = null;
        }
    }

    // Whoever is the first to read asks; those who come with it wait for that.
    private async Task<(LiveTotals Totals, LiveText[] Since)> Join(LiveReader reader, string product)
    {
        if (TryJoin(reader, product, null) is { } joined) return joined;
        await beginning.WaitAsync(reader.Gone);
        try
        {
            return TryJoin(reader, product, null) ?? TryJoin(reader, product, await ReadCounts())!.Value;
        }
        finally
        {
            beginning.Release();
        }
    }

    private (LiveTotals Totals, LiveText[] Since)? TryJoin(LiveReader reader, string product, AllCounts? fresh)
    {
        lock (gate)
        {
            counts ??= fresh;
            if (counts is not { } now) return null;
            if (!audiences.TryGetValue(product, out var audience)) audiences[product] = audience = new();
            audience.Readers.Add(reader);
            audience.Totals ??= new(() => LiveText.From(now.Totals(Named(product))), readers.Held);
            return (audience.Totals, audience.Totals.Take());
        }
    }

    private void Leave(LiveReader reader, string product)
    {
        lock (gate)
        {
            if (!audiences.TryGetValue(product, out var audience) || !audience.Readers.Remove(reader)) return;
            if (audience.Readers.Count == 0) audiences.Remove(product);
            if (audiences.Count == 0) counts = null;
        }
    }

    private async Task Tell()
    {
        AllCounts? before;
        string[] asked;
        lock (gate) (before, asked) = (counts, [.. audiences.Keys]);
        if (before is null) return;
        try
        {
            var now = await ReadCounts();
            var changes = now.Since(before);
            var texts = asked.ToDictionary(product => product, product => TextOf(now, changes, product));
            lock (gate)
            {
                if (before != counts) return; // all have left meanwhile, and others began with newer ones
                counts = now;
                foreach (var (product, audience) in audiences)
                    if ((texts.TryGetValue(product, out var text) ? text : TextOf(now, changes, product)) is { } added)
                        audience.Tell(added);
            }
        }
        catch (EventLogUnavailableException)
        {
            // the next second has it all
        }
    }

    private static LiveText? TextOf(AllCounts now, ILookup<string, LiveCount> changes, string product) =>
        now.Added(changes, Named(product)) is { } added ? LiveText.From(added) : null;

    private static string? Named(string product) => product == All ? null : product;

    private async Task<AllCounts> ReadCounts() => new(await storage.ReadCounts());

    // Those who ask for the same product.
    private sealed class Audience
    {
        public HashSet<LiveReader> Readers { get; } = [];

        /// <summary>What a reader begins with; null where nobody takes it now.</summary>
        public LiveTotals? Totals { get; set; }

        public void Tell(LiveText added)
        {
            Totals?.Add(added);
            if (Totals is { IsOld: true }) Totals = null;
            foreach (var reader in Readers) reader.Hand(added);
        }
    }
}
