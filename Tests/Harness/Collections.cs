using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Tally.Tests.Harness.NamedCollectionsFirst))]

namespace Tally.Tests.Harness;

// A class in none of these is a collection of its own and runs beside others.

/// <summary>
/// Classes that share one app per storage. Each uses fingerprints of its own, and none counts what all have recorded.
/// </summary>
[CollectionDefinition]
public sealed class SharedApp : ICollectionFixture<SharedApps>;

/// <summary>The same for the tests of other tools' trackers, whose events may come without a fingerprint.</summary>
[CollectionDefinition]
public sealed class TrackerApp : ICollectionFixture<TrackerApps>;

/// <summary>What waits for the image, whose build is the longest of all.</summary>
[CollectionDefinition]
public sealed class TheContainers;

/// <summary>Silos that watch one another: one cluster at a time.</summary>
[CollectionDefinition]
public sealed class Clusters;

/// <summary>Thousands of sockets each, of the number that one process may open.</summary>
[CollectionDefinition]
public sealed class ManySockets;

/// <summary>What others beside it would disturb: it runs when they have ended.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;

/// <summary>
/// The containers and then the other named collections: begun last, each would run on when nothing is left to run
/// beside it.
/// </summary>
public sealed class NamedCollectionsFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections)
        where T : ITestCollection =>
        [.. testCollections
            .OrderBy(collection => collection.TestCollectionClassName is null)
            .ThenBy(collection => collection.TestCollectionClassName != typeof(TheContainers).FullName)];
}
