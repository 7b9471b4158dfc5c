using System.Diagnostics;
using System.Text;
using System.Xml.Linq;
using Tally.Bench.Client;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Tests.Pure;

/// <summary>The parts of the benchmark that would give wrong figures without failing.</summary>
public sealed class WhatTheBenchmarkCounts
{
    [Theory]
    [InlineData(0.5, 500)]
    [InlineData(0.99, 990)]
    [InlineData(0.999, 999)]
    [InlineData(1, 1_000)]
    public void A_percentile_is_the_smallest_latency_that_its_share_does_not_exceed(double share, double milliseconds)
    {
        var latencies = new Latencies();
        foreach (var value in Enumerable.Range(1, 1_000).Reverse()) latencies.Add(value * Stopwatch.Frequency / 1_000);
        Assert.Equal(milliseconds, latencies.Milliseconds(share), precision: 6);
    }

    [Fact]
    public void A_request_that_had_to_wait_for_a_stalled_server_was_due_by_the_clock()
    {
        var second = Stopwatch.Frequency;
        var pace = new Pace(start: second, perSecond: 10);
        Assert.True(pace.TryTake(second, out var first));
        Assert.Equal(second, first);

        // Nothing could be sent for a second.
        var late = new List<long>();
        while (pace.TryTake(2 * second, out var due)) late.Add(due);
        Assert.Equal(Enumerable.Range(1, 10).Select(tenth => second + tenth * second / 10), late);
    }

    [Fact]
    public void At_a_fixed_rate_no_request_is_sent_before_it_is_due()
    {
        var pace = new Pace(start: 0, perSecond: 10);
        Assert.True(pace.TryTake(0, out _));
        Assert.False(pace.TryTake(Stopwatch.Frequency / 10 - 1, out var due));
        Assert.Equal(Stopwatch.Frequency / 10, due);
    }

    [Fact]
    public void In_a_closed_loop_the_next_request_is_due_now()
    {
        var pace = new Pace(start: 0, perSecond: null);
        Assert.True(pace.TryTake(12_345, out var due));
        Assert.Equal(12_345, due);
    }

    [Fact]
    public void Of_the_mixed_fingerprints_the_nth_is_as_frequent_as_the_first_divided_by_n()
    {
        const int draws = 1_000_000;
        var zipf = new Zipf(1_000, seed: 1);
        var counts = new int[1_000];
        for (var i = 0; i < draws; i++) counts[zipf.Next()]++;
        Assert.InRange(counts[0] / (double)counts[1], 1.9, 2.1);
        Assert.InRange(counts[0] / (double)counts[9], 9, 11);
        Assert.InRange(counts[500..].Sum() / (double)draws, 0.08, 0.11); // (H(1000) - H(500)) / H(1000) = 0.093
    }

    [Fact]
    public void Half_of_the_repeated_workloads_ids_are_sent_twice_each_with_its_fingerprint()
    {
        var next = Draw.Repeats();
        var sent = Enumerable.Range(0, 300_000).Select(_ => next()).GroupBy(numbers => numbers.Id).ToList();
        Assert.All(sent, id => Assert.Single(id.Distinct()));
        Assert.All(sent, id => Assert.InRange(id.Count(), 1, 2));
        Assert.InRange(sent.Count(id => id.Count() == 2) / (double)sent.Count, 0.49, 0.5);
        Assert.InRange(sent.Select(id => id.First().Fingerprint).Distinct().Count(), 990, Draw.HotFingerprints);
    }

    [Fact]
    public void New_fingerprints_are_new_and_in_no_order()
    {
        var next = Draw.New();
        var numbers = Enumerable.Range(0, 500_000).Select(_ => next().Fingerprint).ToList();
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.All(numbers, number => Assert.InRange(number, 0, Draw.Modulus - 1));
        Assert.True(numbers.Zip(numbers.Skip(1)).Min(pair => Math.Abs(pair.Second - pair.First)) > 1_000_000);
    }

    [Fact]
    public void A_request_carries_its_numbers_and_the_length_of_its_body()
    {
        var request =
            PreparedRequest.Post("/x", "text/plain", $"f={PreparedRequest.Fingerprint}&id={PreparedRequest.Id}");
        var text = Encoding.ASCII.GetString(request.With(() => new(12, 345)));
        Assert.Equal("POST /x HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n\r\n"
            + "f=000000000012&id=000000000345", text);
    }

    [Fact]
    public void A_metric_is_the_sum_of_its_series_and_of_no_other()
    {
        const string text = """
            # TYPE tally_commit_events histogram
            tally_commit_events_sum{otel_scope_name="Tally",outcome="a"} 3 1764328000000
            tally_commit_events_sum{otel_scope_name="Tally",outcome="b"} 4
            tally_commit_events_sum_of_others 100
            tally_commit_events_sum 1.5
            tally_commit_events_count{otel_scope_name="Tally"} 2
            """;
        Assert.Equal(8.5, Metrics.Sum(text, "tally_commit_events_sum"));
        Assert.Equal(0, Metrics.Sum(text, "tally_load_events_sum"));
    }

    [Fact]
    public void A_charts_bars_are_as_long_as_their_values()
    {
        var svg = XElement.Parse(new BarChart("a < b", "c & d", [new("1", 30, 10, "40"), new("2", 0, 20, "20")]).Svg());
        var bars = svg.Elements().Where(element => element.Name.LocalName == "rect").Skip(1)
            .Select(bar => (X: (int)bar.Attribute("x")!, Width: (int)bar.Attribute("width")!)).ToList();
        var (blue, grey, other) = (bars[0], bars[1], bars[2]);
        Assert.Equal(blue.X + blue.Width, grey.X);
        Assert.Equal(3 * grey.Width, blue.Width);
        Assert.Equal(2 * grey.Width, other.Width);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200)]
    [InlineData("HTTP/1.1 503 No\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n", 503)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", null)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", null)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Len", null)]
    public void An_answer_counts_when_it_is_there_whole(string answer, int? status) =>
        Assert.Equal(status, AnswerFrame.Status(Encoding.ASCII.GetBytes(answer)));
}
