namespace Tally.Silo.Http.Live;

/// <summary>What is counted, of all products or of one.</summary>
/// <param name="Added">Events since the last message; absent in the first.</param>
/// <param name="Total">Events.</param>
/// <param name="Counts">In the first message all pairs of product and action, then those that have changed.</param>
public sealed record LiveCounts(long? Added, long Total, IReadOnlyList<LiveCount> Counts);

/// <param name="Product">The product.</param>
/// <param name="Action">The action.</param>
/// <param name="Added">Events since the last message; absent in the first.</param>
/// <param name="Total">Events.</param>
public sealed record LiveCount(string Product, string Action, long? Added, long Total);
