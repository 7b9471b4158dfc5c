namespace Tally.Tests.Harness;

/// <summary>What the migrations of later versions may do, for both databases.</summary>
internal static class LaterVersion
{
    /// <summary>Every earlier version can go on.</summary>
    public const string OnlyAdds = """
        insert into migrations (scriptname, applied) values ('0998_added', '2030-01-01 00:00:00');
        alter table events add column later text;
        create table later (a integer not null);
        """;

    /// <summary>After <see cref="OnlyAdds"/>. Only a version that knows what was added can go on.</summary>
    public const string DropsTheOld = """
        insert into migrations (scriptname, applied) values ('0999_dropped', '2030-01-01 00:00:00');
        update compatibility set migration = '0998_added';
        """;
}
