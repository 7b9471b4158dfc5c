using System.Reflection;
using NetArchTest.Rules;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Settings;
using Tally.Tests.Harness;

namespace Tally.Tests.Pure;

/// <summary>
/// References go Silo -> Grains -> Contracts, and no other way. A folder of Silo uses only those listed before it.
/// </summary>
public sealed class TheArrow
{
    private static readonly Assembly Contracts = typeof(IFingerprintGrain).Assembly;
    private static readonly Assembly Grains = typeof(FingerprintGrain).Assembly;
    private static readonly Assembly Silo = typeof(AppSettings).Assembly;

    private static readonly string[] Layers =
    [
        "Tally.Silo.Settings", "Tally.Silo.Compression", "Tally.Silo.Storage", "Tally.Silo.Webhooks", "Tally.Silo.Http", "Tally.Silo.Pages",
        "Tally.Silo.Hosting", "Tally.Silo.Import", "Tally.Silo.Export", "Tally.Silo.CommandLine",
    ];

    [Fact]
    public void Grains_know_no_database_no_web_server_and_no_silo() => AssertFree(Types.InAssembly(Grains).ShouldNot()
        .HaveDependencyOnAny("Npgsql", "Microsoft.Data.Sqlite", "Microsoft.AspNetCore", "System.Data", "Tally.Silo")
        .GetResult());

    [Fact]
    public void Contracts_know_neither_grains_nor_silo() => AssertFree(Types.InAssembly(Contracts).ShouldNot()
        .HaveDependencyOnAny("Tally.Grains", "Tally.Silo", "Npgsql", "Microsoft.Data.Sqlite", "Microsoft.AspNetCore")
        .GetResult());

    [Fact]
    public void A_layer_of_the_silo_knows_none_that_comes_after_it() => Assert.All(Layers.Index().SkipLast(1), layer =>
        AssertFree(Types.InAssembly(Silo).That().ResideInNamespace(layer.Item)
            .ShouldNot().HaveDependencyOnAny(Layers[(layer.Index + 1)..]).GetResult()));

    [Fact]
    public void Every_type_of_the_silo_is_in_a_layer() => Assert.Equal(Layers.Order(), Silo.GetTypes()
        .Where(type => type.Namespace?.StartsWith("Tally.", StringComparison.Ordinal) == true)
        .Select(type => string.Join('.', type.Namespace!.Split('.').Take(3))).Distinct().Order());

    // An assembly does not list a reference that it does not use, so the projects are read too.
    [Theory]
    [InlineData("Contracts", "Microsoft.Orleans.Sdk")]
    [InlineData("Grains", "../Contracts/Contracts.csproj", "Microsoft.Orleans.Sdk", "Microsoft.Orleans.Runtime")]
    [InlineData("Clients/Tally.Client", "Microsoft.Extensions.Hosting.Abstractions")]
    public void A_project_references_only(string project, params string[] references)
    {
        var document = System.Xml.Linq.XDocument.Load(Repository.File($"{project}/{Path.GetFileName(project)}.csproj"));
        var found =
            document.Descendants()
                .Where(e => e.Name.LocalName is "PackageReference" or "ProjectReference" or "FrameworkReference");
        Assert.Equal(references, found.Select(e => e.Attribute("Include")?.Value));
        Assert.Equal("Microsoft.NET.Sdk", document.Root!.Attribute("Sdk")?.Value);
    }

    private static void AssertFree(NetArchTest.Rules.TestResult result) =>
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
}
