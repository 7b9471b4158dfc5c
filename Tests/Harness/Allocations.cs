namespace Tally.Tests.Harness;

internal static class Allocations
{
    private const int Tries = 4;

    /// <summary>
    /// The bytes that this thread allocates meanwhile, in the best of a few tries: what the runtime takes to compile a
    /// method anew is not the code's.
    /// </summary>
    public static long Of(Action work) => Enumerable.Range(0, Tries).Min(_ =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });
}
