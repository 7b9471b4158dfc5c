using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Notes of what happened at a time.</summary>
public sealed class Annotations(PostgresServer server)
{
    private const string Path = "/api/annotations";

    [Theory, EachStorage]
    public async Task One_is_kept_for_each_time_and_product_until_it_is_removed(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        Assert.Empty(await List(silo, ""));
        await Put(silo, "2026-11-24T12:00:00%2B02:00", "Release 2", "shop");
        await Put(silo, "2026-11-24", "Sale", null);
        await Put(silo, "2026-11-25", "Mail", "other");
        await Put(silo, "2026-11-24T10:00:00Z", "Release 2.1", "shop"); // the same moment

        string[] all = ["2026-11-24T00:00:00Z  Sale", "2026-11-24T10:00:00Z shop Release 2.1", "2026-11-25T00:00:00Z other Mail"];
        Assert.Equal(all, await List(silo, ""));
        Assert.Equal(all[..2], await List(silo, "?product=shop"));
        Assert.Equal(all[..1], await List(silo, "?product=nobody"));
        Assert.Equal(all[1..2], await List(silo, "?from=2026-11-24T10:00:00Z&to=2026-11-25"));

        Assert.Equal("Release 2.1", (await Delete(silo, "?time=2026-11-24T10:00:00Z&product=shop")).Text("text"));
        (await Delete(silo, "?time=2026-11-24T10:00:00Z&product=shop")).AssertRefused(404, "unknown_annotation", "time");
        (await Delete(silo, "?time=2026-11-25")).AssertRefused(404, "unknown_annotation", "time"); // of all products
        Assert.Equal([all[0], all[2]], await List(silo, ""));
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task Any_text_comes_back_as_it_was(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        string[] texts = ["'; drop table annotations; --", "<script>alert(1)</script>", "=1+1", "__proto__", "käse ☕ 😀",
            new('x', 1_024)];
        for (var i = 0; i < texts.Length; i++) await Put(silo, $"2026-11-0{i + 1}", texts[i], $"{i}{texts[i][..4]}");
        Assert.Equal(texts.Select((text, i) => $"2026-11-0{i + 1}T00:00:00Z {i}{text[..4]} {text}"),
            await List(silo, ""));
    }

    [Theory, EachStorage]
    public async Task There_are_at_most_so_many_and_one_may_still_be_changed(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { AnnotationsMax = 2 });
        await Put(silo, "2026-11-01", "a", null);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Put(silo, "2026-11-02", "b", null)));
        (await Send(silo, "2026-11-03", "c", null)).AssertRefused(422, "too_many_annotations");
        await Put(silo, "2026-11-02", "d", null);
        Assert.Equal(["2026-11-01T00:00:00Z  a", "2026-11-02T00:00:00Z  d"], await List(silo, ""));
    }

    [Fact]
    public async Task What_cannot_be_kept_is_refused()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (query, reason, field) in ((string, string, string)[])
                 [
                     ("text=a", "missing_field", "time"), ("time=&text=a", "missing_field", "time"),
                     ("time=soon&text=a", "invalid_time", "time"), ("time=2026-11-24T10:00:00&text=a", "invalid_time", "time"),
                     ("time=2026-11-24", "missing_field", "text"), ("time=2026-11-24&text=", "missing_field", "text"),
                     ("time=2026-11-24&text=a%00b", "invalid_characters", "text"),
                     ("time=2026-11-24&text=" + new string('x', 1_025), "too_long", "text"),
                     ("time=2026-11-24&text=a&product=", "missing_field", "product"),
                     ("time=2026-11-24&text=a&product=" + new string('x', 257), "too_long", "product"),
                     ("time=2026-11-24&text=a&text=b", "duplicate_field", "text"),
                     ("time=2026-11-24&text=a&prduct=b", "unknown_parameter", "prduct"),
                 ])
            (await silo.Send(new(HttpMethod.Put, $"{Path}?{query}"))).AssertRefused(422, reason, field);
        Assert.Empty(await List(silo, ""));
    }

    private static async Task Put(RunningSilo silo, string time, string text, string? product) =>
        Assert.Equal(200, (await Send(silo, time, text, product)).Status);

    private static Task<Answer> Send(RunningSilo silo, string time, string text, string? product) =>
        silo.Send(new(HttpMethod.Put, $"{Path}?time={time}&text={Uri.EscapeDataString(text)}"
            + (product is null ? "" : $"&product={Uri.EscapeDataString(product)}")));

    private static Task<Answer> Delete(RunningSilo silo, string query) =>
        silo.Send(new(HttpMethod.Delete, Path + query));

    private static async Task<IEnumerable<string>> List(RunningSilo silo, string query) =>
        (await silo.Get(Path + query)).Body.GetProperty("annotations").EnumerateArray().Select(one =>
            $"{one.GetProperty("time").GetString()} "
            + $"{(one.TryGetProperty("product", out var product) ? product.GetString() : "")} "
            + one.GetProperty("text").GetString()).ToList();
}
