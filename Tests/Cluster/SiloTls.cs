using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>Silos authenticate each other. One without a certificate of the same authority does not get in.</summary>
public sealed class SiloTls(PostgresServer server)
{
    private const int Fingerprints = 20;

    [Fact]
    public async Task Silos_of_one_authority_are_one_service()
    {
        using var authority = new SiloAuthority();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2, authority.Environment("silo"));
        for (var i = 0; i < Fingerprints; i++)
        {
            // Each fingerprint lives on one of the two, so half of these requests go from one to the other.
            Assert.Equal(200, (await silos[i % 2].PostForm($"action=a&product=p&fingerprint=f{i}")).Status);
            Assert.Equal(1, (await silos[(i + 1) % 2].View($"f{i}")).Body.GetProperty("total").GetInt64());
        }
        foreach (var port in await SiloPorts(database)) await AssertTellsNothing(port);
        Assert.Equal(200, (await silos[0].PostForm("action=a&product=p&fingerprint=after")).Status);
        await AppProcess.AssertVerifies(database);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silo_without_a_certificate_or_with_anothers_does_not_get_in_and_says_so(bool hasOthers)
    {
        using var authority = new SiloAuthority();
        using var others = new SiloAuthority();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silo = await AppProcess.Start(database, authority.Environment("silo"));
        await using var outsider = AppProcess.Launch(database, hasOthers ? others.Environment("silo") : []);
        await Eventually.True(() =>
            Task.FromResult(outsider.Output.Contains("Failed to get ping responses from 1 of 1 active silos")),
            () => $"It does not say that it cannot join: {outsider.Output}", seconds: 120);
        await Eventually.True(() => Task.FromResult(silo.Output.Contains("Authentication failed")),
            () => $"The silo does not say whom it refused: {silo.Output}", seconds: 60);
        if (hasOthers)
        {
            Assert.Contains("Another silo's certificate is refused: ", silo.Output);
            Assert.Contains("Another silo's certificate is refused: ", outsider.Output);
        }
        Assert.Equal([1L], await database.Query(
            $"select count(*) from memberships where status = {(int)SiloStatus.Active}", row => row.GetInt64(0)));
        Assert.Equal(200, (await silo.PostForm("action=a&product=p&fingerprint=f")).Status);
    }

    private static Task<List<int>> SiloPorts(TestDatabase database) =>
        database.Query($"select port from memberships where status = {(int)SiloStatus.Active}", row => row.GetInt32(0));

    private static async Task AssertTellsNothing(int port)
    {
        // Plain text gets at most a TLS alert, which is 7 bytes and begins with 21, and then the end.
        using var plain = new TcpClient("127.0.0.1", port);
        await plain.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: silo\r\n\r\n"));
        var said = await ReadToEnd(plain.GetStream());
        Assert.True(said.Length == 0 || said is [21, ..] && said.Length <= 7, Encoding.Latin1.GetString(said));

        // TLS without a certificate: a TLS 1.3 client has finished before the server checks, but must be told nothing
        // then.
        using var encrypted = new TcpClient("127.0.0.1", port);
        await using var tls =
            new SslStream(encrypted.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        try
        {
            await tls.AuthenticateAsClientAsync("silo");
        }
        catch (Exception exception)
            when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            return;
        }
        Assert.Empty(await ReadToEnd(tls));
    }

    private static async Task<byte[]> ReadToEnd(Stream stream)
    {
        using var all = new MemoryStream();
        try
        {
            await stream.CopyToAsync(all).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (IOException)
        {
            // cut off
        }
        return all.ToArray();
    }
}
