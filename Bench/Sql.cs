using System.Globalization;
using Npgsql;

namespace Tally.Bench;

/// <summary>Statements beside what is measured. They may take as long as they need.</summary>
internal static class Sql
{
    public static async Task Execute(this NpgsqlDataSource source, string sql, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <param name="sql">Has one number.</param>
    public static async Task<double> Number(this NpgsqlDataSource source, string sql, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 0;
        return Convert.ToDouble(await command.ExecuteScalarAsync(cancellation), CultureInfo.InvariantCulture);
    }

    /// <summary>What a row of a table takes on the disk, with its indexes and in all partitions.</summary>
    public static Task<double> BytesOfRow(this NpgsqlDataSource source, string table, CancellationToken cancellation) =>
        source.Number($"select coalesce(sum(pg_total_relation_size(relid)), pg_total_relation_size('{table}')) "
            + $"/ (select count(*) from {table}) from pg_partition_tree('{table}')", cancellation);
}
