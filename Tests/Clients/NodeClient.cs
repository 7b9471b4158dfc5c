using Tally.Tests.Harness;

namespace Tally.Tests.Clients;

/// <summary>The client from npm, tally-client, in Node.</summary>
public sealed class NodeClient(PostgresServer server) : SendingEvents(server)
{
    protected override Task<string[]> Program() => ClientPackages.Node();

    [Theory]
    [InlineData("address", "ftp://tally.example", "address must be Tally's")]
    [InlineData("batchSize", "1", "There is no setting batchSize")]
    [InlineData("requestTimeout", 0, "requestTimeout must be above 0")]
    [InlineData("retryDelay", "soon", "retryDelay must be milliseconds")]
    [InlineData("key", "two words", "key must be ASCII without spaces")]
    [InlineData("product", 5, "product must be a text")]
    public async Task A_wrong_setting_is_told_at_once(string name, object value, string told)
    {
        await using var client = ClientProgram.Start(await Program(), new Dictionary<string, object?>
        {
            ["address"] = "https://tally.example", [name] = value,
        });
        await Assert.ThrowsAsync<InvalidOperationException>(client.Close);
        Assert.Contains(told, client.Log, StringComparison.Ordinal);
    }

    [Fact]
    public Task An_id_may_be_a_number_and_survives_the_program_as_one() => WithDatabase(async database =>
    {
        var folder = Directory.CreateTempSubdirectory("tally-queue-").FullName;
        try
        {
            await using (var client = await StartClient(new() { ["queueFolder"] = folder }))
            {
                foreach (var id in (int[])[0, 17]) await client.Track("view", Visitor, id);
                Assert.Equal(2, (await client.Figures()).Waiting);
                await client.Kill();
            }
            await using var app = await StartApp(database);
            await using (var client = await StartClient(new() { ["queueFolder"] = folder }))
            {
                foreach (var id in (object[])[0, "17"]) await client.Track("view", Visitor, id);
                Assert.Equal(new(4, 0, 0, 0), await client.Close());
            }
            Assert.Equal(2, await Rows(database));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    [Fact]
    public async Task Whatever_the_program_gives_it_never_throws()
    {
        var program = await ClientPackages.Node();
        var script = Path.Combine(await ClientPackages.NodeFolder(), "hostile.mjs");
        await File.WriteAllTextAsync(script, $$"""
            import { writeFileSync } from 'node:fs'
            import { Tally } from 'tally-client'
            console.error = console.warn = () => {}
            writeFileSync('{{script}}.file', '')
            const broken = () => { throw new Error('broken') }
            const nameless = () => { throw Object.create(null) }
            const settings = { address: 'http://127.0.0.1:{{FreePort.Next()}}', product: 'shop', retryDelay: 10 }
            const tally = new Tally({
              ...settings, queueFolder: '{{script}}.file', onProblem: broken, onRefused: async () => broken(),
            })
            const events = [
              null, undefined, 5, { properties: { toJSON: nameless } }, { get id() { return broken() } },
              { properties: { n: 10n } }, { properties: [1] }, { timestamp: 'soon' },
              { timestamp: null, properties: null },
            ]
            console.log(events.map(event => tally.track('x', event)).join())
            await new Promise(done => setTimeout(done, 100))
            await tally.close({ timeout: 1 })
            const other = new Tally(settings)
            other.track('x')
            const closed = other.close({ timeout: Infinity }).then(() => 'closed')
            console.log(await Promise.race([closed, new Promise(done => setTimeout(done, 100, 'waits'))]))
            process.exit(0)
            """);
        var (exitCode, output) = await Commands.Try(program[0], script);
        Assert.Equal((0, "true,true,true,false,false,false,false,false,true|waits"),
            (exitCode, string.Join('|', output.Split('\n', StringSplitOptions.RemoveEmptyEntries))));
    }

    // Without a compiler for TypeScript, at least every name that the types have is there.
    [Fact]
    public async Task The_types_name_what_the_package_has()
    {
        var types = await File.ReadAllTextAsync(Path.Combine(await ClientPackages.NodeFolder(),
            "node_modules/tally-client/index.d.ts"));
        foreach (var member in (string[])["track(", "flush(", "close(", "figures:", "queueFolder?:", "onRefused?:"])
            Assert.Contains(member, types, StringComparison.Ordinal);
    }
}
