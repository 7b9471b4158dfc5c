using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Links that show a product's counts to people without a key: how they are made and end.</summary>
public sealed class Shares(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_link_is_told_once_and_kept_only_as_a_hash(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        var made = (await Put(silo, "team", "shop")).Body;
        var path = made.GetProperty("path").GetString()!;
        Assert.Matches("^/shared/[A-Za-z0-9_-]{32}$", path);
        var again = (await Put(silo, "team", "docs")).Body.GetProperty("path").GetString();
        Assert.NotEqual(path, again);
        await Put(silo, "'; drop table shares; --", "<b>");

        var list = await silo.Get("/api/shares");
        Assert.DoesNotContain("/shared/", list.Body.GetRawText());
        Assert.Equal(["'; drop table shares; -- <b>", "team docs"],
            list.Body.GetProperty("shares").EnumerateArray()
                .Select(one => $"{one.GetProperty("name").GetString()} {one.GetProperty("product").GetString()}"));
        var rows = await at.Query("select name from shares where cast(hash as text) like '%' || name || '%'", _ => 0);
        Assert.Empty(rows);

        Assert.Equal("docs", (await Delete(silo, "team")).Body.GetProperty("product").GetString());
        (await Delete(silo, "team")).AssertRefused(404, "unknown_share", "name");
    }

    [Theory, EachStorage]
    public async Task There_are_at_most_so_many(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { SharesMax = 2 });
        Assert.Equal(200, (await Put(silo, "a", "shop")).Status);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Put(silo, "b", "shop")));
        (await Put(silo, "c", "shop")).AssertRefused(422, "too_many_shares");
        Assert.Equal(200, (await Put(silo, "a", "docs")).Status);
    }

    [Fact]
    public async Task What_cannot_be_kept_is_refused()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (query, reason, field) in ((string, string, string)[])
                 [
                     ("product=shop", "missing_field", "name"), ("name=a", "missing_field", "product"),
                     ("name=&product=shop", "missing_field", "name"),
                     ("name=a%0a&product=shop", "invalid_characters", "name"),
                     ($"name={new string('x', 129)}&product=shop", "too_long", "name"),
                     ("name=a&product=" + new string('x', 300), "too_long", "product"),
                     ("name=a&name=b&product=shop", "duplicate_field", "name"),
                 ])
            (await silo.Send(new(HttpMethod.Put, $"/api/shares?{query}"))).AssertRefused(422, reason, field);
        (await silo.Send(new(HttpMethod.Put, "/api/shares?name=%ff&product=shop"))).AssertRefused(400, "malformed_query");
        (await silo.Send(new(HttpMethod.Put, "/api/shares?nam=a"))).AssertRefused(422, "unknown_parameter", "nam");
    }

    private static Task<Answer> Put(RunningSilo silo, string name, string product) => silo.Send(new(HttpMethod.Put,
        $"/api/shares?name={Uri.EscapeDataString(name)}&product={Uri.EscapeDataString(product)}"));

    private static Task<Answer> Delete(RunningSilo silo, string name) =>
        silo.Send(new(HttpMethod.Delete, $"/api/shares?name={Uri.EscapeDataString(name)}"));
}
