namespace Tally.Silo.Storage;

/// <summary>What happened at a time, for those who look at the counts.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Product">Null if it is about all.</param>
/// <param name="Text">What happened.</param>
public sealed record Annotation(DateTime Time, string? Product, string Text);

/// <summary>Annotations: at most one for each time and product.</summary>
public abstract partial class SqlStorage
{
    private readonly string putAnnotation = scripts["put_annotation"];
    private readonly string deleteAnnotation = scripts["delete_annotation"];
    private readonly string readAnnotations = scripts["read_annotations"];

    /// <summary>Keeps an annotation, instead of another one of the same time and product.</summary>
    /// <returns>False if there are as many as there may be.</returns>
    public async Task<bool> PutAnnotation(Annotation annotation, int annotationsMax) =>
        (await Query(putAnnotation, _ => true, Time("time", annotation.Time),
            Parameter("product", annotation.Product ?? ""), Parameter("text", annotation.Text),
            Parameter("annotations_max", annotationsMax))).Count > 0;

    /// <summary>Removes an annotation.</summary>
    /// <returns>What was removed, or null.</returns>
    public async Task<Annotation?> DeleteAnnotation(DateTime time, string? product) =>
        (await Query(deleteAnnotation, row => new Annotation(time, product, row.GetString(0)), Time("time", time),
            Parameter("product", product ?? ""))).FirstOrDefault();

    /// <summary>Those of a time range, by time.</summary>
    /// <param name="product">Those about this product or about all; null for all.</param>
    public async Task<IReadOnlyList<Annotation>> ReadAnnotations(DateTime from, DateTime to, string? product) =>
        await Query(readAnnotations,
            row => new Annotation(ReadTime(row, 0), row.GetString(1) is { Length: > 0 } of ? of : null,
                row.GetString(2)), Time("from", from), Time("to", to), Optional("product", product));
}
