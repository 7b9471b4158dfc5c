using Tally.Silo.Storage;

namespace Tally.Tests.Pure;

/// <summary>SQL that both databases can run exists only once.</summary>
public sealed class SqlFiles
{
    private static readonly SqlScripts Postgres = new("Postgres"), Sqlite = new("Sqlite"), Shared = new("Sql");

    [Fact]
    public void A_script_is_shared_or_a_database_s_own()
    {
        Assert.All((SqlScripts[])[Postgres, Sqlite, Shared], folder => Assert.NotEmpty(folder.Names));
        Assert.Empty(Shared.Names.Intersect(Postgres.Names.Concat(Sqlite.Names)));
    }

    [Fact]
    public void Scripts_of_one_name_differ() =>
        Assert.All(Postgres.Names.Intersect(Sqlite.Names), name => Assert.NotEqual(Postgres[name], Sqlite[name]));
}
