using k8s;
using k8s.Models;

namespace Tally.Tests.Harness;

/// <summary>
/// The Prometheus Operator's resource, with the fields that deploy/kubernetes uses. The models that npm has of it
/// accept fields that do not exist.
/// </summary>
public sealed class PodMonitor : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = "";
    public string Kind { get; set; } = "";
    public V1ObjectMeta Metadata { get; set; } = new();
    public PodMonitorSpec Spec { get; set; } = new();
}

public sealed class PodMonitorSpec
{
    public V1LabelSelector Selector { get; set; } = new();
    public IList<PodMetricsEndpoint> PodMetricsEndpoints { get; set; } = [];
}

public sealed class PodMetricsEndpoint
{
    public string Port { get; set; } = "";
    public string Path { get; set; } = "";
    public string Interval { get; set; } = "";
    public PodMonitorAuthorization Authorization { get; set; } = new();
}

public sealed class PodMonitorAuthorization
{
    public string Type { get; set; } = "";
    public V1SecretKeySelector Credentials { get; set; } = new();
}
