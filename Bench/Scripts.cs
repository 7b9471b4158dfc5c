namespace Tally.Bench;

/// <summary>The SQL files that are embedded in this program.</summary>
internal static class Scripts
{
    /// <exception cref="ArgumentException">There is no such script.</exception>
    public static string Read(string name)
    {
        using var stream = typeof(Scripts).Assembly.GetManifestResourceStream(name)
            ?? throw new ArgumentException($"There is no script {name}.", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
