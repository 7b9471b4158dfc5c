using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Tally.Tests.Harness;

/// <summary>What a client says of its events.</summary>
public sealed record ClientFigures(long Recorded, long Refused, long Dropped, long Waiting);

/// <summary>An event that a client was told is refused for good.</summary>
public sealed record ClientRefusal(int Status, string Reason, string? Field, string Id, string? Event);

/// <summary>
/// A program with one of Tally's own clients, in its own process: a program of Tests/Clients. It does what it is told,
/// one call after the other.
/// </summary>
public sealed class ClientProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process process;
    private readonly Channel<JsonElement> answers = Channel.CreateUnbounded<JsonElement>();
    private readonly Task reading;
    private readonly StringBuilder errors = new();
    private readonly List<ClientRefusal> refused = [];

    private ClientProgram(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) => { lock (errors) errors.AppendLine(line.Data); };
        process.BeginErrorReadLine();
        reading = Task.Run(Read);
    }

    /// <summary>The events that it was told are refused, so far.</summary>
    public List<ClientRefusal> Refused
    {
        get { lock (refused) return [.. refused]; }
    }

    /// <summary>What it has logged.</summary>
    public string Log
    {
        get { lock (errors) return errors.ToString(); }
    }

    /// <param name="command">The program.</param>
    /// <param name="settings">The client's options, as the program names them.</param>
    public static ClientProgram Start(string[] command, IReadOnlyDictionary<string, object?> settings) =>
        new(Process.Start(new ProcessStartInfo(command[0], [.. command[1..], JsonSerializer.Serialize(settings)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    public async Task Track(string action, string fingerprint, object? id = null, object? properties = null,
        DateTime? timestamp = null, string? product = null)
    {
        var with = new Dictionary<string, object> { ["action"] = action, ["fingerprint"] = fingerprint };
        if (id is not null) with["id"] = id;
        if (properties is not null) with["properties"] = properties;
        if (timestamp is { } time) with["timestamp"] = time.ToString("O");
        if (product is not null) with["product"] = product;
        await Write(new { call = "track", with });
    }

    /// <summary>Completes when the client says that none of its events waits any more.</summary>
    public async Task Flush()
    {
        await Write(new { call = "flush" });
        Assert.True((await Answer()).GetProperty("flushed").GetBoolean());
    }

    /// <summary>The client's figures, once all calls before are done.</summary>
    public async Task<ClientFigures> Figures()
    {
        await Write(new { call = "figures" });
        return FiguresOf(await Answer());
    }

    /// <summary>Ends its input, so that it stops the client, and waits until it has ended.</summary>
    /// <returns>The client's last figures.</returns>
    public async Task<ClientFigures> Close()
    {
        process.StandardInput.Close();
        var figures = FiguresOf(await Answer());
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, Log);
        await reading;
        return figures;
    }

    /// <summary>Kills it with SIGKILL.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await Kill();
        await reading;
        process.Dispose();
    }

    private async Task Write(object call)
    {
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(call));
        await process.StandardInput.FlushAsync();
    }

    private async Task<JsonElement> Answer()
    {
        try
        {
            return await answers.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        }
        catch (Exception exception) when (exception is ChannelClosedException or TimeoutException)
        {
            if (exception is ChannelClosedException) await process.WaitForExitAsync(); // with all that it has logged
            throw new InvalidOperationException($"The program does not answer: {Log}", exception);
        }
    }

    private async Task Read()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var said = JsonSerializer.Deserialize<JsonElement>(line);
            if (!said.TryGetProperty("refused", out var one)) answers.Writer.TryWrite(said);
            else lock (refused) refused.Add(one.Deserialize<ClientRefusal>(JsonSerializerOptions.Web)!);
        }
        answers.Writer.Complete();
    }

    private static ClientFigures FiguresOf(JsonElement answer) =>
        answer.GetProperty("figures").Deserialize<ClientFigures>(JsonSerializerOptions.Web)!;
}
