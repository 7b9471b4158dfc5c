using System.Net;
using System.Net.Sockets;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A thousand readers of one fingerprint, and five thousand in all. Each receives every event, and posting works as
/// before.
/// </summary>
[Collection<ManySockets>]
public sealed class ManyLiveReaders(PostgresServer server)
{
    private const int OfOne = 1_000;
    private const int InAll = 5_000;
    private const int Others = 400; // fingerprints, which share the other readers
    private const int Events = 40;
    private const int OpenAtOnce = 64;

    [Fact]
    public async Task All_of_them_are_told_every_event()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        var readers = new RawReader[InAll];
        try
        {
            await Parallel.ForAsync(0, InAll, new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce },
                async (i, _) =>
                readers[i] = await RawReader.Open(app, i < OfOne ? "one" : $"other-{i % Others}"));
            Assert.Equal(InAll, (await PrometheusText.Scrape(app)).Sum("tally_live_readers"));

            for (var i = 0; i < Events; i++)
                Assert.Equal(200, (await app.PostForm($"action=a{i}&product=p&fingerprint=one")).Status);
            var posts =
                await Task.WhenAll(
                    Enumerable.Range(0, Others).Select(i => app.PostForm($"action=a&product=p&fingerprint=other-{i}")));
            Assert.All(posts, post => Assert.Equal(200, post.Status));

            await Eventually.True(() =>
                Task.FromResult(readers.All(reader => reader.IsAt(reader.Fingerprint == "one" ? Events : 1))),
                () => $"{readers.Count(reader => !reader.IsAt(reader.Fingerprint == "one" ? Events : 1))} readers were not told all.", seconds: 60);
            Assert.All(readers, reader => Assert.Null(reader.Odd));
            Assert.Equal(0, (await PrometheusText.Scrape(app)).Sum("tally_live_readers_cut_off_total"));
        }
        finally
        {
            foreach (var reader in readers) reader?.Dispose();
        }
        app.AssertLoggedNo("fail:");
    }

    /// <summary>One socket, read as data arrives. Only the sequences matter.</summary>
    private sealed class RawReader(Socket socket, string fingerprint) : IDisposable
    {
        private readonly StringBuilder line = new();
        private long last;

        public string Fingerprint => fingerprint;

        /// <summary>The first sequence that was not the next one.</summary>
        public string? Odd { get; private set; }

        public bool IsAt(long sequence) => Volatile.Read(ref last) == sequence || Odd is not null;

        public static async Task<RawReader> Open(AppProcess app, string fingerprint)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, app.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes(HttpWire.GetOf(LiveStream.PathOf(fingerprint))));
            var head = new byte[1024];
            var text = Encoding.ASCII.GetString(head, 0, await socket.ReceiveAsync(head));
            Assert.StartsWith("HTTP/1.1 200 ", text);
            var reader = new RawReader(socket, fingerprint);
            reader.Take(text);
            _ = reader.Read();
            return reader;
        }

        public void Dispose() => socket.Dispose();

        private async Task Read()
        {
            var buffer = new byte[4096];
            try
            {
                while (await socket.ReceiveAsync(buffer) is > 0 and var read)
                    Take(Encoding.ASCII.GetString(buffer, 0, read));
            }
            catch (SocketException)
            {
                // the test is over
            }
        }

        private void Take(string text)
        {
            foreach (var c in text)
            {
                if (c != '\n')
                {
                    line.Append(c);
                    continue;
                }
                if (line.ToString() is ['i', 'd', ':', ' ', .. var id])
                {
                    if (long.Parse(id, null) != last + 1) Odd ??= $"{id.Trim()} after {last}";
                    Volatile.Write(ref last, long.Parse(id, null));
                }
                line.Clear();
            }
        }
    }
}
