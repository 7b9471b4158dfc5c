using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>How many different fingerprints there were.</summary>
/// <param name="From">UTC, as widened to whole days.</param>
/// <param name="To">Likewise: the first moment that does not belong.</param>
/// <param name="Product">The only one that was looked at; absent for all.</param>
/// <param name="Events">Events.</param>
/// <param name="UniqueFingerprints">Different fingerprints, each once however many days it was there and products it used.</param>
/// <param name="Products">With groupBy=product, the same of each, those with the most fingerprints first.</param>
public sealed record UniquesAnswer(
    DateTime From, DateTime To, string? Product, long Events, long UniqueFingerprints, IReadOnlyList<ProductUniques>? Products);
