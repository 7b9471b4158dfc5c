using System.IO.Pipelines;
using System.Text;
using CsCheck;
using Tally.Contracts;
using Tally.Silo.Http.Batches;

namespace Tally.Tests.Pure;

/// <summary>However the network cuts a body into pieces, and whatever is in it, the same items are read.</summary>
public sealed class BatchReading
{
    // Parts of batches, right and wrong, so that random bodies also hit the cases in between.
    private static readonly Gen<string> Body = Gen.Select(OneOf("[", "", "\n", "{"), OneOf(
            """{"action":"view","product":"k8s","fingerprint":"XYZ"}""", ",", ",", "\n", "{}", "17", "null", "\"é\"",
            """{"id":"a\u00e9","properties":{"b":[1,{}]}}""", "[[1]]",
            """{"action":1}""", """{"action":"\ud800"}""", "tru", "}",
            """{"x":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}""", "true", " ").Array[0, 30],
        OneOf("]", "", "\n", "] x"), (begin, middle, end) => begin + string.Concat(middle) + end);

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    [Fact]
    public Task Pieces_make_no_difference() =>
        Gen.Select(Body, Gen.Bool, Gen.Int[1, 40].Array[1, 20]).SampleAsync(async (text, isArray, sizes) =>
    {
        var body = Encoding.UTF8.GetBytes(text);
        var whole = await Read(body, isArray, [body.Length + 1]);
        Assert.Equal(whole, await Read(body, isArray, sizes));
        Assert.EndsWith("ended", whole);
    }, iter: 3_000);

    [Theory]
    [InlineData("[{},{},{},{},{},{}] ", true)]
    [InlineData("{}\n{}\n{}\n{}{}{}\n", false)]
    public async Task The_end_behind_a_full_part_is_no_part_of_its_own(string text, bool isArray)
    {
        var batch =
            new BatchBody(PipeReader.Create(new(Encoding.UTF8.GetBytes(text))), isArray,
                new Limits { BatchPartEventsMax = 3 });
        var parts = new List<int>();
        while (!batch.Ended)
        {
            await batch.WaitForPart(CancellationToken.None);
            parts.Add(batch.ParsePart().Count);
        }
        Assert.Equal([3, 3], parts);
    }

    private static async Task<string> Read(byte[] body, bool isArray, int[] sizes)
    {
        var pipe = new Pipe();
        var writing = Task.Run(async () =>
        {
            for (var (at, i) = (0, 0); at < body.Length; i++)
            {
                var size = Math.Min(sizes[i % sizes.Length], body.Length - at);
                await pipe.Writer.WriteAsync(body.AsMemory(at, size));
                at += size;
            }
            await pipe.Writer.CompleteAsync();
        });
        var batch = new BatchBody(pipe.Reader, isArray, new Limits
        {
            BatchPartEventsMax = 3, BatchReadAheadBytesMax = sizes[0], BatchBodyEventsMax = 12,
            EventBodyBytesMax = 1024,
        });
        var seen = new StringBuilder();
        while (!batch.Ended)
        {
            await batch.WaitForPart(CancellationToken.None);
            foreach (var item in batch.ParsePart())
                seen.Append(System.Globalization.CultureInfo.InvariantCulture,
                    $"{item.Fields?.Action} {item.Fields?.Id} {item.Fields?.Properties} {item.Refusal?.Reason};");
        }
        await writing;
        return $"{seen}{batch.Fault?.Reason} {batch.Fault?.Detail} ended";
    }
}
