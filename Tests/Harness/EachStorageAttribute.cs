using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Tally.Tests.Harness;

/// <summary>Runs a theory once on each storage, so that both meet one contract.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EachStorageAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod,
        DisposalTracker disposalTracker) =>
        new([new TheoryDataRow<StorageKind>(StorageKind.Sqlite), new TheoryDataRow<StorageKind>(StorageKind.Postgres)]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
