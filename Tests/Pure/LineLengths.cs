using Tally.Tests.Harness;

namespace Tally.Tests.Pure;

/// <summary>A rule of .editorconfig that <c>dotnet format</c> does not check.</summary>
public sealed class LineLengths
{
    private const int Max = 120; // max_line_length

    // A test's literal, such as a client's request, reads better in one piece.
    [Theory]
    [InlineData("Contracts", false)]
    [InlineData("Grains", false)]
    [InlineData("Silo", false)]
    [InlineData("Bench", false)]
    [InlineData("Clients", false)]
    [InlineData("Tests", true)]
    public void No_line_is_longer_than_120_columns(string project, bool literalsMayBe)
    {
        var lines = Directory.EnumerateFiles(Repository.File(project), "*.cs", SearchOption.AllDirectories)
            .Where(file =>
                !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .SelectMany(file =>
                File.ReadLines(file).Select((text, index) => (Place: $"{file}:{index + 1}", Text: text)));
        Assert.DoesNotContain(lines, line => line.Text.Length > Max && !(literalsMayBe && line.Text.Contains('"')));
    }
}
