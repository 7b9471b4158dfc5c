namespace Tally.Grains;

/// <summary>
/// What callers are told: gathered while locks are held, told when none is, since a caller goes on within its answer
/// and may do anything then.
/// </summary>
internal sealed class Answers<TAnswer>
{
    // A work item for each would have threads fall asleep and wake for a tenth of a post; one for all of a commit would
    // answer the last late, on one processor.
    private const int TogetherMax = 16;

    private readonly List<(TaskCompletionSource<TAnswer> Caller, TAnswer Answer)> answers = [];

    public void Add(TaskCompletionSource<TAnswer> caller, TAnswer answer) => answers.Add((caller, answer));

    /// <summary>On this thread.</summary>
    public void Complete() => Complete(0, answers.Count);

    /// <summary>On others.</summary>
    public void CompleteOnPool()
    {
        for (var from = 0; from < answers.Count; from += TogetherMax)
            ThreadPool.UnsafeQueueUserWorkItem(static part =>
                part.all.Complete(part.from, Math.Min(part.all.answers.Count, part.from + TogetherMax)),
                (all: this, from), preferLocal: false);
    }

    private void Complete(int from, int end)
    {
        for (var i = from; i < end; i++) answers[i].Caller.SetResult(answers[i].Answer);
    }
}
