namespace Tally.Silo.Http.Batches;

/// <summary>
/// The outcome of a batch: how many of its items were handled, from the first one on. Each of these is recorded unless
/// it is among the refused.
/// </summary>
/// <param name="Handled">Items that were handled. Nothing was done with later ones.</param>
/// <param name="Recorded">Items recorded and counted now.</param>
/// <param name="Repeated">Items recorded before, under the same ids.</param>
/// <param name="Refused">The other items, in order.</param>
public sealed record BatchReceipt(int Handled, int Recorded, int Repeated, IReadOnlyList<RefusedItem> Refused);

/// <summary>Why an item of a batch is not recorded: the refusal that a request of its own would get.</summary>
/// <param name="Index">The item's place, from 0.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Reason">A code for programs.</param>
/// <param name="Detail">What exactly is wrong.</param>
/// <param name="Field">The field at fault, if there is one.</param>
/// <param name="Id">With 503, the event's id: a retry under it counts once, whatever became of this try.</param>
public sealed record RefusedItem(int Index, int Status, string Reason, string Detail, string? Field, string? Id);
