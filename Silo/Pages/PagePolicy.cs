namespace Tally.Silo.Pages;

/// <summary>
/// What a browser lets our pages do: load and send to this server alone, and run no script from elsewhere.
/// </summary>
/// <param name="frameAncestors">Origins whose pages may show ours in a frame.</param>
internal sealed class PagePolicy(IReadOnlyList<string> frameAncestors)
{
    /// <summary>As the header Content-Security-Policy.</summary>
    public string Text { get; } = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        + "connect-src 'self'; base-uri 'none'; form-action 'self'; "
        + $"frame-ancestors {(frameAncestors.Count == 0 ? "'none'" : string.Join(' ', frameAncestors))}; "
        + "require-trusted-types-for 'script'";
}
