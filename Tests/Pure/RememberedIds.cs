using CsCheck;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Pure;

public sealed class RememberedIds
{
    [Fact]
    public void The_newest_events_are_remembered_and_no_others() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[0, 40]).Sample((max, count) =>
    {
        var remembered = new RememberedEvents(max);
        RecordedEvent[] recorded = [.. new FingerprintWriter("f").Decide(count)];
        for (var i = 0; i < count; i++)
        {
            Assert.Null(remembered.Find(recorded[i].Event));
            remembered.Add(recorded[i]);
            for (var j = 0; j <= i; j++)
                Assert.Equal(j > i - max ? (recorded[j].Sequence, true) : null, remembered.Find(recorded[j].Event));
        }
    });

    [Fact]
    public void Other_text_under_a_remembered_id_is_noticed()
    {
        var remembered = new RememberedEvents(4);
        var recorded = new FingerprintWriter("f").Decide(1)[0];
        remembered.Add(recorded);
        Assert.Equal((1, false), remembered.Find(recorded.Event with { Action = "buy" }));
        Assert.Equal((1, false), remembered.Find(recorded.Event with { Product = "vm" }));
        Assert.Equal((1, false), remembered.Find(recorded.Event with { Properties = "{}" }));
        Assert.Equal((1, true), remembered.Find(recorded.Event with { Occurred = recorded.Event.Occurred.AddDays(1) }));
    }
}
