using System.Collections.Concurrent;
using k8s;
using k8s.Models;

namespace Tally.Tests.Harness;

/// <summary>What <c>kubectl apply -k</c> would send for a kustomization of deploy/kubernetes.</summary>
internal sealed class KubernetesManifests
{
    // What the user puts beside the kustomizations.
    private static readonly (string File, string Text)[] Secrets =
    [
        ("cluster/db-url", "postgres://tally:secret@database:5432/tally"),
        ("optional/keys/write-keys", "writer-0123456789abcdef"),
        ("optional/keys/read-keys", "reader-0123456789abcdef\nscraper-0123456789abcdef\n"),
        ("optional/keys/erase-keys", "eraser-0123456789abcdef"),
        ("optional/monitoring/scrape-key", "scraper-0123456789abcdef"),
    ];

    private static readonly Dictionary<string, Type> CustomResources = new()
    {
        ["monitoring.coreos.com/v1/PodMonitor"] = typeof(PodMonitor),
    };

    private static readonly ConcurrentDictionary<string, Lazy<Task<KubernetesManifests>>> rendered = new();

    private readonly List<object> objects;

    private KubernetesManifests(string text) => (Text, objects) = (text, Read(text));

    public string Text { get; }

    public V1PodTemplateSpec Pod => All<V1Deployment>().Select(deployment => deployment.Spec.Template)
        .Concat(All<V1StatefulSet>().Select(set => set.Spec.Template)).Single();

    public V1Container Container => Pod.Spec.Containers.Single();

    /// <summary>The objects of a kind.</summary>
    public IEnumerable<T> All<T>() => objects.OfType<T>();

    public IEnumerable<IMetadata<V1ObjectMeta>> Everything => objects.Cast<IMetadata<V1ObjectMeta>>();

    /// <summary>Reads as strictly as a server with --validate=strict: an unknown field is an error.</summary>
    public static List<object> Read(string text) =>
        KubernetesYaml.LoadAllFromString(text, CustomResources, strict: true);

    /// <param name="overlay">single or cluster, and what it has of optional: cluster+keys+silo-tls.</param>
    public static Task<KubernetesManifests> Render(string overlay) =>
        rendered.GetOrAdd(overlay, _ => new(() => RenderNow(overlay))).Value;

    private static async Task<KubernetesManifests> RenderNow(string overlay)
    {
        var kubectl = Tool.Find("kubectl", "Rendering manifests (kubectl 1.27 or newer)", "kubernetes-client");
        var folder = Directory.CreateTempSubdirectory("tally-kubernetes-").FullName;
        try
        {
            CopyTo(folder);
            var parts = overlay.Split('+');
            var own = Directory.CreateDirectory(Path.Combine(folder, "own")).FullName;
            await File.WriteAllTextAsync(Path.Combine(own, "kustomization.yaml"), $"""
                resources: [../{parts[0]}]
                components: [{string.Join(", ", parts[1..].Select(part => $"../optional/{part}"))}]
                """);
            var (exitCode, output) = await Commands.Try(kubectl, "kustomize", own);
            Assert.True(exitCode == 0, output);
            Assert.DoesNotContain("Warning:", output); // that something is deprecated
            return new(output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void CopyTo(string folder)
    {
        var source = Repository.File("deploy/kubernetes");
        foreach (var file in Directory.EnumerateFiles(source, "*.yaml", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        foreach (var (file, text) in Secrets) File.WriteAllText(Path.Combine(folder, file), text);
    }
}
