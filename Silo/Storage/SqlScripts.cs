using System.Reflection;

namespace Tally.Silo.Storage;

/// <summary>
/// The embedded .sql files of one database, by file name: those in its own folder, and those in Sql, which every
/// database reads. A missing one throws when the process starts.
/// </summary>
public sealed class SqlScripts(string folder)
{
    private const string Shared = "Sql";

    /// <summary>Those in its own folder.</summary>
    public IEnumerable<string> Names => Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(resource => Path.GetDirectoryName(resource) == folder)
        .Select(resource => Path.GetFileNameWithoutExtension(resource)!);

    public string this[string name]
    {
        get
        {
            using var stream = Open(folder, name) ?? Open(Shared, name)
                ?? throw new InvalidOperationException($"The SQL script {folder}/{name}.sql is not embedded.");
            return new StreamReader(stream).ReadToEnd();
        }
    }

    private static Stream? Open(string folder, string name) =>
        Assembly.GetExecutingAssembly().GetManifestResourceStream($"{folder}/{name}.sql");
}
