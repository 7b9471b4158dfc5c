using System.Reflection;

namespace Tally.Silo.Storage;

/// <summary>The embedded .sql files of one database, by file name. A missing one throws when the process starts.</summary>
public sealed class SqlScripts(string folder)
{
    public IEnumerable<string> Names => Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(resource => Path.GetDirectoryName(resource) == folder)
        .Select(resource => Path.GetFileNameWithoutExtension(resource)!);

    public string this[string name]
    {
        get
        {
            var resource = $"{folder}/{name}.sql";
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
                ?? throw new InvalidOperationException($"The SQL script {resource} is not embedded.");
            return new StreamReader(stream).ReadToEnd();
        }
    }
}
