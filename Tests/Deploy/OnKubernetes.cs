using System.Text.RegularExpressions;
using k8s.Models;
using Tally.Contracts;
using Tally.Silo.CommandLine;
using Tally.Silo.Hosting;
using Tally.Tests.Harness;

namespace Tally.Tests.Deploy;

/// <summary>
/// deploy/kubernetes, rendered by kubectl and read without a cluster. What it relies on, such as a stop while the
/// balancer still sends, is tested with processes in Tests/Cluster.
/// </summary>
public sealed partial class OnKubernetes : IDisposable
{
    private const string Single = "single";
    private const string SingleWithAll = "single+keys+monitoring";
    private const string Cluster = "cluster";
    private const string ClusterWithAll = "cluster+keys+silo-tls+monitoring+autoscaler";
    private const string MadeByOthers = "tally-silo-tls"; // cert-manager, for example
    private const string NameLabel = "app.kubernetes.io/name";

    private readonly string mounts = Directory.CreateTempSubdirectory("tally-mounts-").FullName;

    public void Dispose() => Directory.Delete(mounts, recursive: true);

    [Theory]
    [InlineData(Single, "ConfigMap NetworkPolicy Service ServiceAccount StatefulSet")]
    [InlineData(Cluster, "ConfigMap Deployment NetworkPolicy PodDisruptionBudget Secret Service ServiceAccount")]
    [InlineData(ClusterWithAll, "ConfigMap Deployment HorizontalPodAutoscaler NetworkPolicy PodDisruptionBudget PodMonitor Secret Secret Secret Service ServiceAccount")]
    [InlineData(SingleWithAll, "ConfigMap NetworkPolicy PodMonitor Secret Secret Service ServiceAccount StatefulSet")]
    public async Task Each_document_has_only_fields_of_its_kind(string overlay, string kinds)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        Assert.Equal(kinds.Split(' '),
            manifests.Everything.Cast<k8s.IKubernetesObject>().Select(one => one.Kind).Order());
        Assert.All(manifests.Everything, one => Assert.Equal("tally", one.Metadata.Labels[NameLabel]));
    }

    [Theory]
    [InlineData("readinessProbe:", "readynessProbe:")]
    [InlineData("podSelector:", "podSelektor:")]
    [InlineData("maxUnavailable: 1", "maxUnavailable: [1]")]
    [InlineData("periodSeconds: 1", "periodSeconds: often")]
    [InlineData("credentials:", "credential:")]
    public async Task A_misspelt_field_or_a_value_of_the_wrong_type_is_found(string right, string wrong)
    {
        var manifests = await KubernetesManifests.Render(ClusterWithAll);
        Assert.Contains(right, manifests.Text);
        Assert.ThrowsAny<Exception>(() => KubernetesManifests.Read(manifests.Text.Replace(right, wrong)));
    }

    [Theory]
    [InlineData(SingleWithAll)]
    [InlineData(ClusterWithAll)]
    public async Task The_pod_may_only_what_restricted_pod_security_allows_and_has_no_token(string overlay)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        var (pod, container) = (manifests.Pod.Spec, manifests.Container);
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.Null(container.SecurityContext.Capabilities.Add);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.NotEqual(true, container.SecurityContext.Privileged);
        Assert.NotEqual(true, pod.HostNetwork);
        Assert.All(pod.Volumes ?? [], volume => Assert.NotNull(volume.Secret));
        Assert.All(pod.Volumes ?? [], volume => Assert.Equal(0b100_100_000, volume.Secret.DefaultMode)); // r--r-----
        Assert.Equal(pod.SecurityContext.RunAsGroup, pod.SecurityContext.FsGroup);

        Assert.False(pod.AutomountServiceAccountToken);
        var account = Assert.Single(manifests.All<V1ServiceAccount>());
        Assert.Equal(account.Metadata.Name, pod.ServiceAccountName);
        Assert.False(account.AutomountServiceAccountToken);
    }

    [Theory]
    [InlineData(Single)]
    [InlineData(Cluster)]
    public async Task The_probes_ask_what_each_is_for_and_a_stop_has_its_time(string overlay)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        var container = manifests.Container;
        Assert.Equal("/health/live", container.StartupProbe.HttpGet.Path);
        Assert.Equal("/health/live", container.LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
        Assert.All([container.StartupProbe, container.LivenessProbe, container.ReadinessProbe],
            probe => Assert.Equal("http", probe.HttpGet.Port.Value));
        Assert.True(manifests.Pod.Spec.TerminationGracePeriodSeconds >= TallyHost.StopTimeMax.TotalSeconds + 10);
        Assert.True(container.StartupProbe.PeriodSeconds * container.StartupProbe.FailureThreshold >= 300);

        if (overlay == Single) return; // its one pod stops before the next one starts
        var rollout = manifests.All<V1Deployment>().Single().Spec.Strategy.RollingUpdate;
        Assert.Equal(("0", "1"), (rollout.MaxUnavailable.Value, rollout.MaxSurge.Value));
        Assert.Equal("1", manifests.All<V1PodDisruptionBudget>().Single().Spec.MaxUnavailable.Value);
        Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"],
            manifests.Pod.Spec.TopologySpreadConstraints.Select(spread => spread.TopologyKey));
    }

    [Theory]
    [InlineData(SingleWithAll)]
    [InlineData(ClusterWithAll)]
    public async Task Each_selector_finds_the_pods(string overlay)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        var selectors = manifests.All<V1Deployment>().Select(one => one.Spec.Selector.MatchLabels)
            .Concat(manifests.All<V1StatefulSet>().Select(one => one.Spec.Selector.MatchLabels))
            .Concat(manifests.All<V1Service>().Select(one => one.Spec.Selector))
            .Concat(manifests.All<V1NetworkPolicy>().Select(one => one.Spec.PodSelector.MatchLabels))
            .Concat(manifests.All<V1NetworkPolicy>().SelectMany(Senders).Select(one => one.PodSelector.MatchLabels))
            .Concat(manifests.All<V1PodDisruptionBudget>().Select(one => one.Spec.Selector.MatchLabels))
            .Concat(manifests.All<PodMonitor>().Select(one => one.Spec.Selector.MatchLabels))
            .Concat((manifests.Pod.Spec.TopologySpreadConstraints ?? []).Select(one => one.LabelSelector.MatchLabels));
        Assert.All(selectors, selector =>
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, label => Assert.Equal(label.Value, manifests.Pod.Metadata.Labels[label.Key]));
        });
        Assert.All(manifests.All<V2HorizontalPodAutoscaler>(), scaler => Assert.Equal(
            ("Deployment", manifests.All<V1Deployment>().Single().Metadata.Name),
            (scaler.Spec.ScaleTargetRef.Kind, scaler.Spec.ScaleTargetRef.Name)));
    }

    [Theory]
    [InlineData(SingleWithAll)]
    [InlineData(ClusterWithAll)]
    public async Task Clients_reach_the_front_end_and_the_silos_port_is_for_silos_alone(string overlay)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        var ports = manifests.Container.Ports.ToDictionary(port => port.Name, port => port.ContainerPort);
        Assert.Equal(Default("-port"), $"{ports["http"]}");
        Assert.Equal("http", manifests.All<V1Service>().Single().Spec.Ports.Single().TargetPort.Value);
        Assert.Equal("http", manifests.All<PodMonitor>().Single().Spec.PodMetricsEndpoints.Single().Port);

        var policy = manifests.All<V1NetworkPolicy>().Single().Spec;
        Assert.Equal(["Ingress"], policy.PolicyTypes);
        var forAll = Assert.Single(policy.Ingress, rule => rule.FromProperty is null);
        Assert.Equal("http", Assert.Single(forAll.Ports).Port.Value);
        if (overlay == SingleWithAll)
        {
            Assert.Equal(["http"], ports.Keys);
            Assert.Single(policy.Ingress);
            return;
        }
        Assert.Equal(manifests.All<V1ConfigMap>().Single().Data["APP_SILO_PORT"], $"{ports["silo"]}");
        var forSilos = Assert.Single(policy.Ingress, rule => rule.FromProperty is not null);
        Assert.Equal("silo", Assert.Single(forSilos.Ports).Port.Value);
        var sender = Assert.Single(forSilos.FromProperty);
        Assert.Null(sender.IpBlock);
        Assert.Null(sender.NamespaceSelector); // any other would let pods of other namespaces in
        Assert.Equal(2, policy.Ingress.Count);
    }

    [Theory]
    [InlineData(SingleWithAll)]
    [InlineData(ClusterWithAll)]
    public async Task Each_name_that_is_used_exists(string overlay)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        var container = manifests.Container;
        Assert.Equal(manifests.All<V1ConfigMap>().Select(one => one.Metadata.Name),
            container.EnvFrom.Select(one => one.ConfigMapRef.Name));
        var secrets = manifests.All<V1Secret>().ToDictionary(one => one.Metadata.Name);
        var volumes = (manifests.Pod.Spec.Volumes ?? []).ToDictionary(one => one.Name, one => one.Secret.SecretName);
        Assert.All(volumes.Values.Where(name => name != MadeByOthers), name => Assert.Contains(name, secrets.Keys));
        var claims = manifests.All<V1StatefulSet>().SelectMany(one => one.Spec.VolumeClaimTemplates)
            .Select(one => one.Metadata.Name);
        Assert.Equal(volumes.Keys.Concat(claims).Order(), container.VolumeMounts.Select(one => one.Name).Order());

        var scrape = manifests.All<PodMonitor>().Single().Spec.PodMetricsEndpoints.Single().Authorization.Credentials;
        var key = System.Text.Encoding.UTF8.GetString(secrets[scrape.Name].Data[scrape.Key]);
        Assert.Contains(key.Trim(),
            System.Text.Encoding.UTF8.GetString(secrets.Values.Single(one => one.Data.ContainsKey("read-keys")).Data["read-keys"]));
    }

    /// <summary>The real program gets the pod's variables, and its files where they are mounted.</summary>
    [Theory]
    [InlineData(SingleWithAll)]
    [InlineData(ClusterWithAll)]
    public async Task The_program_understands_the_pods_variables(string overlay)
    {
        var manifests = await KubernetesManifests.Render(overlay);
        var environment = Environment(manifests);
        var known = AppFlags.All.SelectMany(flag => flag.Variables)
            .SelectMany(name => (string[])[name, name + "_FILE"])
            .Concat(typeof(Limits).GetProperties().Select(limit => "Limits__" + limit.Name));
        Assert.Subset(known.ToHashSet(), environment.Keys.ToHashSet());

        MountSecrets(manifests);
        var (exitCode, _, error) = await AppProcess.Run(["health", $"-port={FreePort.Next()}"],
            environment.ToDictionary(one => one.Key, one => one.Value.Replace("/etc/tally", mounts + "/etc/tally")));
        Assert.True(exitCode == 1, error); // 2 is a mistake in a setting; 1 is that nothing answers here
    }

    [Fact]
    public async Task The_guide_counts_the_connections_of_all_silos()
    {
        var limits = new Limits();
        var silo = limits.CommitsMax + limits.ConnectionsMax + limits.SnapshotWritesMax + limits.QuestionsMax + 6
            + limits.ExportsMax;
        const int verification = 5; // one in the cluster
        const int inRollout = 2; // one starts while the one before still stops
        var deployment = (await KubernetesManifests.Render(Cluster)).All<V1Deployment>().Single();
        var scaler = (await KubernetesManifests.Render(ClusterWithAll)).All<V2HorizontalPodAutoscaler>().Single();
        var rows = ConnectionsRow().Matches(await File.ReadAllTextAsync(Repository.File(Guide)))
            .Select(row => (int.Parse(row.Groups["silos"].ValueSpan), int.Parse(row.Groups["connections"].ValueSpan)))
            .ToList();
        Assert.Equal([deployment.Spec.Replicas!.Value, scaler.Spec.MaxReplicas], rows.Select(row => row.Item1));
        Assert.All(rows, row => Assert.Equal((row.Item1 + inRollout) * silo + verification, row.Item2));
    }

    [Fact]
    public async Task The_guides_first_event_is_counted()
    {
        var command = FirstEvent().Match(await File.ReadAllTextAsync(Repository.File(Guide)));
        await using var database = TestDatabase.In(Path.Combine(mounts, "data"));
        await using var app = await AppProcess.Start(database);
        var arguments = command.Groups["arguments"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (exitCode, output, error) = await AppProcess.Run([.. arguments, $"-port={app.Port}"], [],
            input: System.Text.Encoding.UTF8.GetBytes(command.Groups["event"].Value + "\n"));
        Assert.True(exitCode == 0, output + error);
        var view = await app.Http.GetStringAsync("/api/fingerprints/ada");
        Assert.Contains("\"total\":1", view);
    }

    private const string Guide = "docs/how-to/run-on-kubernetes.md";

    private static IEnumerable<V1NetworkPolicyPeer> Senders(V1NetworkPolicy policy) =>
        policy.Spec.Ingress.SelectMany(rule => rule.FromProperty ?? []);

    private static string Default(string flag) => AppFlags.All.Single(one => one.Option.Name == flag).Default;

    private static Dictionary<string, string> Environment(KubernetesManifests manifests)
    {
        var all = manifests.All<V1ConfigMap>().Single().Data.ToDictionary();
        foreach (var variable in manifests.Container.Env)
            all[variable.Name] = variable.Value ?? variable.ValueFrom.FieldRef.FieldPath switch
            {
                "metadata.name" => "tally-0",
                "status.podIP" => "10.0.0.1",
                var path => throw new InvalidOperationException(path),
            };
        return all;
    }

    private void MountSecrets(KubernetesManifests manifests)
    {
        var secrets = manifests.All<V1Secret>().ToDictionary(one => one.Metadata.Name, one => one.Data);
        foreach (var volume in manifests.Pod.Spec.Volumes ?? [])
        {
            var mount = manifests.Container.VolumeMounts.Single(one => one.Name == volume.Name);
            var folder = Directory.CreateDirectory(mounts + mount.MountPath).FullName;
            if (!secrets.TryGetValue(volume.Secret.SecretName, out var data)) continue;
            foreach (var (key, bytes) in data) File.WriteAllBytes(Path.Combine(folder, key), bytes);
        }
    }

    [GeneratedRegex(@"^ *\| (?<silos>\d+) \| (?<connections>\d+) \|", RegexOptions.Multiline)]
    private static partial Regex ConnectionsRow();

    [GeneratedRegex("""echo '(?<event>\{[^']*\})' \|\s+kubectl exec -i \S+ -- /app/app (?<arguments>.*)$""", RegexOptions.Multiline)]
    private static partial Regex FirstEvent();
}
