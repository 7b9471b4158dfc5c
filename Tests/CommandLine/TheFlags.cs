using System.Text.RegularExpressions;
using Tally.Silo.CommandLine;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>README.md and the Dockerfile describe exactly the flags that the program has.</summary>
public sealed partial class TheFlags
{
    // Its default is the host's name, which no document can state.
    private const string SiloName = "-siloName";

    [Fact]
    public void Each_is_in_the_table_of_the_readme_with_its_variable_and_default_and_nothing_else_is() => Assert.Equal(
        AppFlags.All.Select(flag => (flag.Option.Name, flag.Variables[0], flag.Default))
            .Select(flag => flag.Name == SiloName ? flag with { Default = "the host's name" } : flag).Order(),
        TableRow().Matches(File.ReadAllText(Repository.File("README.md")))
            .Select(row => (row.Groups["flag"].Value, row.Groups["variable"].Value, row.Groups["default"].Value))
            .Order());

    [Fact]
    public void Each_is_in_the_image_with_its_default_and_nothing_else_is() => Assert.Equal(
        AppFlags.All.Where(flag => flag.Option.Name != SiloName)
            // The image sets the last variable, which any other overrides, and the volume instead of the working
            // directory.
            .Select(flag => (flag.Variables[^1], flag.Default.Replace("sqlite:data/", "sqlite:/data/"))).Order(),
        Assignment().Matches(File.ReadAllText(Repository.File("Dockerfile")).Split("\nFROM ")[^1])
            .Select(assignment => (Variable: assignment.Groups["variable"].Value, assignment.Groups["value"].Value))
            .Where(one =>
                !one.Variable.StartsWith("DOTNET_", StringComparison.Ordinal) && one.Variable != "SQLITE_TMPDIR")
                .Order());

    [GeneratedRegex(@"^\| `(?<flag>-\w+)` \| `(?<variable>\w+)` \| `?(?<default>[^`|,]+?)`?([,:] [^|]*)? \|",
        RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex(@"^(ENV|   ) (?<variable>\w+)=(?<value>\S+)( \\)?$", RegexOptions.Multiline)]
    private static partial Regex Assignment();
}
