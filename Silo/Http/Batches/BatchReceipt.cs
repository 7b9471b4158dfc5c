namespace Tally.Silo.Http.Batches;

/// <summary>
/// What became of a batch: of its items from the first on, so many were handled, and each of them is recorded unless
/// it is among the refused.
/// </summary>
/// <param name="Handled">Items. Nothing was done about those behind them.</param>
/// <param name="Recorded">Recorded and counted now.</param>
/// <param name="Repeated">Recorded before, under the same ids.</param>
/// <param name="Refused">The others, in the order of their places.</param>
public sealed record BatchReceipt(int Handled, int Recorded, int Repeated, IReadOnlyList<RefusedItem> Refused);

/// <summary>Why one item of a batch is not recorded: what its own request would have been refused with.</summary>
/// <param name="Index">Its place, from 0.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Reason">For programs.</param>
/// <param name="Detail">What exactly.</param>
/// <param name="Field">The field at fault, where there is one.</param>
/// <param name="Id">With 503, the event's id: a retry under it counts once, whatever became of this try.</param>
public sealed record RefusedItem(int Index, int Status, string Reason, string Detail, string? Field, string? Id);
