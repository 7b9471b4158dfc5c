using System.Reflection;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>The fingerprint in a path.</summary>
internal sealed record FingerprintPath(string? Fingerprint, Refusal? Refusal)
{
    public static ValueTask<FingerprintPath?> BindAsync(HttpContext context, ParameterInfo _) =>
        new(Parse(context, context.RequestServices.GetRequiredService<Limits>()));

    public static FingerprintPath Parse(HttpContext context, Limits limits) =>
        Parse(PathText.RawTargetOf(context), limits);

    public static FingerprintPath Parse(string rawTarget, Limits limits) =>
        PathText.Decode(rawTarget, PathText.Fingerprints) is { } fingerprint ? Check(fingerprint, limits)
            : new(null, Refusal.InvalidPath("fingerprint"));

    /// <summary>A fingerprint that comes on another way.</summary>
    public static FingerprintPath Check(string fingerprint, Limits limits) =>
        new(fingerprint, EventFields.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax));
}
