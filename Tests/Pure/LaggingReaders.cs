using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Tally.Silo.Http;
using Tally.Silo.Http.Live;

namespace Tally.Tests.Pure;

/// <summary>Which readers of live streams are cut off when all of them together hold too much.</summary>
public sealed class LaggingReaders : IDisposable
{
    private const int QueueBytesMax = 1_000_000, HeldBytesMax = 1_000;

    private readonly Meter meter = new("test");
    private readonly HeldBytes held;

    public LaggingReaders() => held = new(HeldBytesMax, meter.CreateUpDownCounter<long>("held"));

    public void Dispose() => meter.Dispose();

    // Nobody writes to it here: what it is handed stays in its queue.
    private LiveReader Open() => new(new DefaultHttpContext(), QueueBytesMax, held, _ => { });

    [Fact]
    public void One_that_keeps_up_may_have_a_few_small_texts_waiting()
    {
        held.Hold(HeldBytesMax);
        using var reader = Open();
        Hand(reader, times: 5);
        Assert.True(reader.IsOpen);
        Hand(reader, times: 100);
        Assert.False(reader.IsOpen);
    }

    [Fact]
    public void Its_queue_may_fill_while_all_hold_little()
    {
        using var reader = Open();
        Hand(reader, times: 1_000); // the same text counts once for all
        Assert.True(reader.IsOpen);
        Hand(reader, times: 10_000);
        Assert.False(reader.IsOpen);
    }

    private static void Hand(LiveReader reader, int times)
    {
        var text = LiveText.From(1, [new(Guid.NewGuid(), "a", "p", DateTime.UtcNow, DateTime.UtcNow, null)]);
        Assert.InRange(text.Length, 100, 400);
        for (var i = 0; i < times; i++) reader.Hand(text);
    }
}
