using System.Globalization;

namespace Tally.Bench;

/// <summary>What processes have used, as Linux counts it.</summary>
internal static class ProcessTree
{
    private const double TicksPerSecond = 100; // USER_HZ, on every common processor

    private sealed record Entry(int Id, int Parent, long OwnTicks, long EndedChildrenTicks);

    /// <summary>
    /// Processor seconds of these processes and their descendants, including children that have ended.
    /// </summary>
    public static double CpuSeconds(IEnumerable<int> roots)
    {
        var children =
            Directory.EnumerateDirectories("/proc").Select(Read).OfType<Entry>().ToLookup(entry => entry.Parent);
        long ticks = 0;
        var waiting = new Stack<Entry>(roots.Select(root => Read($"/proc/{root}")).OfType<Entry>());
        while (waiting.TryPop(out var entry))
        {
            ticks += entry.OwnTicks + entry.EndedChildrenTicks;
            foreach (var child in children[entry.Id]) waiting.Push(child);
        }
        return ticks / TicksPerSecond;
    }

    /// <summary>Resident memory of one process, in bytes.</summary>
    public static long ResidentBytes(int process) => File.ReadLines($"/proc/{process}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line =>
            long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024)
        .First();

    private static Entry? Read(string folder)
    {
        if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return null;
        try
        {
            // The name, in brackets, may contain anything. State, parent and numbers follow it.
            var text = File.ReadAllText($"{folder}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long Field(int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);
            return new(id, (int)Field(1), Field(11) + Field(12), Field(13) + Field(14));
        }
        catch (IOException)
        {
            return null; // it has ended meanwhile
        }
    }
}
