using System.Diagnostics;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains.Peers;

/// <summary>
/// What goes to one silo in groups: all that comes while the last one is on its way is the next one. So a quiet silo
/// sends each at once, and a busy one sends many in one message.
/// </summary>
internal sealed class PeerQueue<TQuestion, TAnswer> where TQuestion : struct, IPeerQuestion
{
    private readonly string name;
    private readonly Batcher<Waiting> groups;
    private readonly CancellationToken gone;
    private readonly Func<TQuestion, int> weigh;
    private readonly Func<TQuestion[], ValueTask<TAnswer[]>> send;
    private readonly Func<TQuestion, TAnswer> unanswered;

    private readonly record struct Waiting(TQuestion Question, TaskCompletionSource<TAnswer> Answer);

    /// <param name="name">The silo's, for the metrics.</param>
    /// <param name="limits">How much may wait, and be in one group.</param>
    /// <param name="weigh">A question's weight.</param>
    /// <param name="send">Sends a group, and returns one answer for each. May throw what a fault can do.</param>
    /// <param name="unanswered">The answer where there was a fault.</param>
    /// <param name="gone">The silo is: whatever waits for it is unanswered.</param>
    public PeerQueue(string name, Limits limits, Func<TQuestion, int> weigh,
        Func<TQuestion[], ValueTask<TAnswer[]>> send, Func<TQuestion, TAnswer> unanswered,
        CancellationToken gone)
    {
        (this.name, this.gone, this.weigh, this.send, this.unanswered) = (name, gone, weigh, send, unanswered);
        groups = new(limits.PeerQueueEventsMax, limits.PeerGroupEventsMax, waiting => weigh(waiting.Question), Send);
        // Whatever request comes first, its trace is not theirs.
        using (ExecutionContext.SuppressFlow()) groups.Start(count: 1);
    }

    public int QueuedWeight => groups.QueuedWeight;

    /// <summary>Null where the queue is full.</summary>
    public Task<TAnswer>? TryAsk(TQuestion question)
    {
        // Who waits goes on at once, within the answer.
        var waiting = new Waiting(question, new());
        return groups.TryAdd(waiting) ? waiting.Answer.Task : null;
    }

    private async Task Send(List<Waiting> waiting)
    {
        TQuestion[] questions = [.. waiting.Select(one => one.Question)];
        var begun = Stopwatch.GetTimestamp();
        TAnswer[] answers;
        try
        {
            using var span = CommitTraces.StartGroup(questions.Select(one => one.Trace));
            answers = await send(questions).AsTask().WaitAsync(gone);
            TallyMetrics.Exchanged(name, questions.Sum(weigh), Stopwatch.GetElapsedTime(begun));
        }
        catch (Exception) // the silo left or died, or did not answer in time: who waits asks again
        {
            answers = Array.ConvertAll(questions, one => unanswered(one));
        }
        var told = new Answers<TAnswer>();
        for (var i = 0; i < answers.Length; i++) told.Add(waiting[i].Answer, answers[i]);
        told.CompleteOnPool();
    }
}
