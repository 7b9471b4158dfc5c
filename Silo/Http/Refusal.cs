using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.Rules;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http;

/// <summary>
/// Why a request was refused: an RFC 9457 problem document with a stable <see cref="Reason"/>. Its text never quotes
/// the client; only <see cref="Field"/> may be a parameter's name that the client sent, if that is short and plain.
/// </summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">The reason in words, the same for every request.</param>
/// <param name="Reason">A code for programs.</param>
/// <param name="Detail">What exactly is wrong with this request.</param>
/// <param name="Field">The field at fault, if there is one.</param>
/// <param name="Id">With 503, the event's id: a retry under it counts once, whatever became of this try.</param>
/// <param name="Batch">For a batch that was not recorded whole: what was done.</param>
public sealed record Refusal(
    int Status, string Title, string Reason, string Detail, string? Field = null, string? Id = null,
    BatchReceipt? Batch = null) : IResult
{
    public const string TooManyNewFingerprintsReason = "too_many_new_fingerprints";

    private const int PlainNameMax = 24; // shorter than most keys

    private int RetryAfterSeconds { get; init; } = 1;

    /// <summary>The generic type: there is no page for each reason.</summary>
    public string Type { get; } = "about:blank";

    public static Refusal MissingField(string field) =>
        new(422, "A field is missing", "missing_field", $"The field {field} is required and must not be empty.", field);

    public static Refusal DuplicateField(string field) =>
        new(422, "A field is given twice", "duplicate_field", $"The field {field} is given more than once.", field);

    public static Refusal TooLong(string field, int max, string unit) =>
        new(422, "A field is too long", "too_long", $"The field {field} takes at most {max} {unit}.", field);

    public static Refusal InvalidCharacters(string field) =>
        new(422, "A field has invalid characters", "invalid_characters",
        $"The field {field} must be valid Unicode without control characters.", field);

    public static Refusal InvalidUnicode(string field) =>
        InvalidCharacters(field) with
        {
            Detail =
            $"The field {field} must be valid Unicode: it has half a surrogate pair."
        };

    public static Refusal IdMismatch() => new(422, "Two ids differ", "id_mismatch",
        "The field id and the header Idempotency-Key name different ids.", "id");

    public static Refusal InvalidTimestamp() => new(422, "The timestamp cannot be read", "invalid_timestamp",
        "The field timestamp must be a time with its zone, for example 2026-01-02T10:30:00Z, or seconds or "
            + "milliseconds since 1970.", "timestamp");

    public static Refusal TimestampWithoutZone() => InvalidTimestamp() with
    {
        Detail = "The zone is missing in the field timestamp: add Z or an offset, for example 2026-01-02T10:30:00Z.",
    };

    public static Refusal TimestampOutOfRange(Limits limits, bool isHistory) =>
        new(422, "The timestamp is out of range", "out_of_range", isHistory
        ? $"The field timestamp may be at most {limits.TimestampAheadMinutesMax} minutes ahead, and not before the "
            + "second day of the year 1."
        : $"The field timestamp may be at most {limits.TimestampPastDaysMax} days back and "
            + $"{limits.TimestampAheadMinutesMax} minutes ahead.",
        "timestamp");

    public static Refusal InvalidProperties(int depthMax) =>
        new(422, "The properties cannot be read", "invalid_properties",
        $"The field properties must be one JSON object, nested at most {depthMax} levels deep, without numbers that "
            + "no database takes.", "properties");

    public static Refusal InvalidType(string field) => new(422, "A field has another type", "invalid_type",
        $"The field {field} must be a text or a number.", field);

    public static Refusal OutOfRange(string field, long min, long max) =>
        new(422, "A parameter is out of range", "out_of_range",
        $"The parameter {field} must be a whole number from {min} to {max}.", field);

    public static Refusal UnknownValue(string field, string known) =>
        new(422, "A parameter has an unknown value", "unknown_value", $"The parameter {field} must be {known}.", field);

    /// <param name="name">As sent. Only a plain name is repeated: others may be markup, or a misplaced secret.</param>
    /// <param name="nearest">The known name that is most like it; null if none is known.</param>
    /// <param name="known">All names that the endpoint knows.</param>
    public static Refusal UnknownParameter(string name, string? nearest, string[] known) =>
        new(422, "A parameter is unknown", "unknown_parameter",
        nearest is null ? "This path takes no parameters."
            : $"There is no such parameter here. The nearest is {nearest}; all are {string.Join(", ", known)}.",
        name.Length <= PlainNameMax && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') && name.Length > 0
            ? name : null);

    public static Refusal NotOnBucket(string field, string bucket, string timeZone, DateTime nearest) =>
        new(422, "A range has whole buckets", "not_on_bucket",
        $"The parameter {field} must be the start of a {bucket} in {timeZone}, since that is what is counted by. The "
            + $"nearest is {nearest:yyyy-MM-dd'T'HH:mm:ss}Z.", field);

    public static Refusal InvalidTime(string field) => new(422, "A time cannot be read", "invalid_time",
        $"The parameter {field} must be as RFC 3339 asks, with an offset, for example 2026-01-02T10:30:00Z, or a "
            + "date. A + is %2B here.", field);

    public static Refusal EmptyRange() => new(422, "The range is empty", "empty_range",
        "The parameter from must be before to, or where that is not given, before now.", "from");

    public static Refusal TooManyPoints(int max) => new(422, "Too many points", "too_many_points",
        $"An answer has at most {max} points: buckets times what they are grouped by. Ask for a shorter range, wider "
            + "buckets or fewer groups.");

    public static Refusal UniquesOfProductsOnly() =>
        new(422, "Uniques are counted by product", "uniques_of_products_only",
        "Which fingerprints are different is known by product, and not by action.", "by");

    public static Refusal TooManyDays(int max) => new(422, "Too many days", "too_many_days",
        $"A range has at most {max} days here.", "from");

    public static Refusal UnknownDimension(string field, IReadOnlyList<string> known) =>
        UnknownValue(field, (field switch
        {
            "of" => "products, actions, fingerprints or ",
            "groupBy" => "product, action, product,action or, perhaps after product, ",
            _ => "",
        }) + (known.Count == 0 ? "a dimension, but this service has none (flag -dimensions)"
            : $"one of this service's dimensions (flag -dimensions): {string.Join(", ", known)}"));

    public static Refusal TwoDimensions() => new(422, "Dimensions are counted one at a time", "two_dimensions",
        "Only /api/breakdown takes one dimension in by and another in filter.", "filter");

    public static Refusal NotWithDimensions(string field, string detail) =>
        new(422, "Dimensions are counted by the day", "not_with_dimensions", detail, field);

    public static Refusal NothingToCompare() => new(422, "There is nothing to compare with", "nothing_to_compare",
        "The range to compare with would begin before the year 1.", "compare");

    public static Refusal FingerprintsNotCompared() =>
        new(422, "Fingerprints are not compared", "fingerprints_not_compared",
        "The parameter compare works with products, actions and dimensions, and not with fingerprints.", "compare");

    public static Refusal TooManyAnnotations(int max) =>
        new(422, "Too many annotations", "too_many_annotations", $"There are {max} annotations; remove some first.");

    public static Refusal UnknownAnnotation() => new(404, "Unknown annotation", "unknown_annotation",
        "There is no annotation of this time and product.", "time");

    public static Refusal TooManyShares(int max) =>
        new(422, "Too many shares", "too_many_shares", $"There are {max} shared views; remove some first.");

    public static Refusal UnknownShare() =>
        new(404, "Unknown share", "unknown_share", "There is no shared view of this name.", "name");

    public static Refusal ChangeOpen() => QuestionNotAnswered() with
    {
        Detail = "It may or may not have been changed: send it again.",
    };

    public static Refusal TooManyFunnels(int max) =>
        new(422, "Too many funnels", "too_many_funnels", $"There are {max} funnels; remove some first.");

    public static Refusal UnknownFunnel() =>
        new(404, "Unknown funnel", "unknown_funnel", "No funnel is kept by this name.", "name");

    public static Refusal InvalidRule(RuleFault fault) => new(422, "The rule is not valid", "invalid_rule",
        $"{fault.Detail} The field is a JSON pointer into the body.", fault.Place);

    public static Refusal TooManyRules(int max) =>
        new(422, "Too many rules", "too_many_rules", $"There are {max} rules; remove some first.");

    public static Refusal TooManyRuleVersions(int max) => new(422, "Too many versions", "too_many_rule_versions",
        $"Rules were changed {max} times, and each version is kept: the limit RuleVersionsMax must be raised first.");

    public static Refusal UnknownRule() =>
        new(404, "Unknown rule", "unknown_rule", "No rule of this name is in force.", "name");

    public static Refusal InvalidFilter() => new(422, "The filter cannot be read", "invalid_filter",
        "The parameter filter must be a dimension and a value with a colon between, for example path:/pricing.",
        "filter");

    public static Refusal InvalidSteps(int max) => new(422, "The steps cannot be read", "invalid_steps",
        $"The parameter steps must be 2 to {max} actions, comma-separated and in their order, each perhaps with "
            + "filters: view[path=/pricing],signup. A backslash before a comma, a bracket, = or a backslash makes it "
            + "part of a name.", "steps");

    public static Refusal TooManyTimes(int max) => new(422, "Too many times", "too_many_times",
        $"An exact median needs each time in memory, and a question may keep {max}. Ask for a shorter range or for one "
            + "product.");

    public static Refusal InvalidPlace() => new(422, "The cursor cannot be read", "invalid_cursor",
        "The parameter after must be the next of an answer to a question with the same sort.", "after");

    public static Refusal InvalidFiringPlace() => InvalidPlace() with
    {
        Detail = "The parameter after must be the next of an answer of this path.",
    };

    public static Refusal EventGone() => new(422, "The cursor cannot be read", "invalid_cursor",
        "The parameter after must be the sequence of an event of this fingerprint that is still in the log.", "after");

    public static Refusal InvalidCursor() => new(422, "The cursor cannot be read", "invalid_cursor",
        "The parameter after must be SEQUENCE:FINGERPRINT, of the last row that was read.", "after");

    public static Refusal InvalidFeedPosition(string name) => new(422, "The cursor cannot be read", "invalid_cursor",
        $"{name} must be the id of a message of this stream.", name);

    public static Refusal MalformedQuery() =>
        new(400, "The query cannot be read", "malformed_query",
            "The query's percent-encoding is broken or is not UTF-8.");

    /// <summary>
    /// For other tools' batches with some messages refused and all others recorded. 400 is the only status at which
    /// Segment's SDK for Apple's systems stops sending a batch.
    /// </summary>
    public static Refusal MessagesRefused(BatchReceipt batch) => new(400, "Messages are refused", "messages_refused",
        "Those that batch.refused names are not recorded, and would not be if they were sent again; all others are.",
        Batch: batch);

    public static Refusal UnknownType() => new(422, "The type is unknown", "unknown_type",
        "The type must be track, page, screen, identify, group or alias.", "type");

    public static Refusal TooManyCounters(int max) => new(422, "Too many counters", "too_many_counters",
        $"This fingerprint has {max} pairs of product and action; this event would begin another.");

    public static Refusal TooManyServiceCounters(int max) => new(422, "Too many counters", "too_many_counters",
        $"This service has {max} pairs of product and action; this event would begin another.");

    public static Refusal Suppressed() => new(403, "The fingerprint is suppressed", "suppressed",
        "It was erased, and nothing of it may be recorded again.", "fingerprint");

    public static Refusal IdConflict() => new(409, "The id is taken", "id_conflict",
        "An event with this id and other content is recorded for this fingerprint.", "id");

    public static Refusal MalformedBody(string detail) => new(400, "The body cannot be read", "malformed_body", detail);

    public static Refusal BodyTooLarge(int maxBytes) =>
        new(413, "The body is too large", "body_too_large", $"The body takes at most {maxBytes} bytes.");

    public static Refusal EventTooLarge(int maxBytes) =>
        BodyTooLarge(maxBytes) with { Detail = $"An event takes at most {maxBytes} bytes." };

    public static Refusal BatchTooLarge(Limits limits) => BodyTooLarge(limits.BatchBodyBytesMax) with
    {
        Detail = $"A batch takes at most {limits.BatchBodyEventsMax} events and, decoded, "
            + $"{limits.BatchBodyBytesMax} bytes.",
    };

    public static Refusal BodyTooSlow() =>
        new(408, "The body came too slowly", "body_too_slow", "The body did not arrive in time.");

    public static Refusal UnsupportedMediaType(string supported) =>
        new(415, "The content type is not supported", "unsupported_media_type",
        $"Send {supported}, in UTF-8; Content-Encoding may be gzip, br or deflate.");

    public static Refusal JsonInForm() => new(415, "The content type is not supported", "unsupported_media_type",
        "The body is JSON, but its content type says that it is a form. Send Content-Type: application/json.");

    public static Refusal MalformedEvent() => MalformedBody("An event is one JSON object.");

    public static Refusal InvalidPath(string field) => new(400, "The path cannot be read", "malformed_path",
        $"The {field} in the path must be percent-encoded UTF-8.", field);

    public static Refusal MissingKey() => new(401, "A key is needed", "missing_key",
        "Send a key as Authorization: Bearer KEY.");

    public static Refusal UnknownKey() =>
        new(401, "The key is unknown", "unknown_key", "The key that was sent is not one of this server's keys.");

    public static Refusal KeyNotForWriting() =>
        new(403, "The key is not for this", "key_not_for_writing", "This is a read key: it does not send events.");

    public static Refusal KeyNotForReading() =>
        new(403, "The key is not for this", "key_not_for_reading", "This is a write key: it cannot query.");

    public static Refusal KeyNotForErasing() =>
        new(403, "The key is not for this", "key_not_for_erasing", "This key does not erase: use an erase key.");

    public static Refusal KeyNotForRules() =>
        new(403, "The key is not for this", "key_not_for_rules", "This key changes no rules: use a rule key.");

    public static Refusal ProductNotAllowed() => new(403, "The product is not this key's", "product_not_allowed",
        "The write key is bound to other products.", "product");

    public static Refusal HistoryNotAllowed() => new(403, "History is not this key's", "history_not_allowed",
        "Old events come with a write key that is bound to nothing, or that has history=true.");

    public static Refusal NoProduct() => new(403, "The key names no product", "key_without_product",
        "An SDK that names no product but its key needs one that is bound to one product: that is its events'.");

    public static Refusal OriginNotAllowed() => new(403, "The origin is not this key's", "origin_not_allowed",
        "The write key is bound to the pages of other sites.");

    public static Refusal TooManyRequests(int afterSeconds) => new(429, "Too many requests", "too_many_requests",
        "This address or key sends more than it may. Nothing of this request was recorded.")
    { RetryAfterSeconds = afterSeconds };

    public static Refusal TooManyNewFingerprints(int afterSeconds) =>
        new(429, "Too many new fingerprints", TooManyNewFingerprintsReason,
        "This address has named more new fingerprints than it may. Nothing of this request was recorded.")
        { RetryAfterSeconds = afterSeconds };

    public static Refusal NotFound() => new(404, "Not found", "not_found", "There is nothing at this path.");

    public static Refusal CrossSite() => new(403, "From another site", "cross_site",
        "A page of another site sent this. It is taken from pages of this server, and from programs.");

    public static Refusal MethodNotAllowed() => new(405, "The method is not allowed", "method_not_allowed",
        "This path does not take this method. The header Allow names those that it takes, in capitals.");

    public static Refusal InternalError() => new(500, "Internal error", "internal_error",
        "This is a fault of the server, which its log describes. Whether the request was done is open.");

    public static Refusal UnknownFingerprint() =>
        new(404, "Unknown fingerprint", "unknown_fingerprint", "No event is recorded for this fingerprint.",
            "fingerprint");

    public static Refusal UnknownId() => new(404, "Unknown id", "unknown_id",
        "No event with this id is in the log. It was never recorded, or it was erased or pruned.", "id");

    public static Refusal Overloaded(string? id = null) => new(503, "Overloaded", "overloaded",
        "More events wait than this server takes. Nothing of this request was lost: retry, with the same id.", Id: id);

    public static Refusal TooManyQuestions() =>
        Overloaded() with { Detail = "More questions wait than this server takes: ask again." };

    public static Refusal TooManyAnswers() =>
        Overloaded() with { Detail = "Slow readers hold as many answers as this server keeps: ask again." };

    public static Refusal NeedsHttp11() => new(426, "HTTP/1.1 is needed", "http_1_1_needed",
        "With HTTP/1.0 an answer that breaks off looks like a whole one. A proxy has to ask with HTTP/1.1: nginx with "
            + "proxy_http_version 1.1.");

    public static Refusal TooManyReaders(int max) => new(503, "Too many readers", "too_many_readers",
        $"This server has {max} live streams open. Come back later, or ask another one.")
    { RetryAfterSeconds = 5 };

    public static Refusal NoWebhook() => new(409, "The rule has no webhook", "no_webhook",
        "Its firings are only recorded: nobody is told of them.");

    public static Refusal RuleDisabled() => new(409, "The rule is disabled", "rule_disabled",
        "Its receiver answered 410 and wants no more. Put the rule with other content first, such as another URL.");

    public static Refusal TooManyTests() => new(429, "Too many requests", "too_many_requests",
        "Samples are sent 10 times a minute for an address, and a few at once. Nothing was sent.")
    { RetryAfterSeconds = 60 };

    public static Refusal TooManyExports(int max) => new(503, "Too many exports", "too_many_exports",
        $"This server does {max} exports at once: retry later.")
    { RetryAfterSeconds = 10 };

    public static Refusal Unavailable(string? id = null) => new(503, "The event log is unavailable", "unavailable",
        "The database does not answer. Whether this event is recorded is open until it does: retry, with the same id.",
        Id: id);

    /// <summary>For requests that only read.</summary>
    public static Refusal QuestionNotAnswered() => new(503, "The question is not answered", "unavailable",
        "The database does not answer, or not within the time that a question may take. Nothing was changed: ask "
            + "again.");

    public static Refusal ErasureOpen() =>
        Unavailable() with
        {
            Detail =
            "Whether anything was erased is open until the database answers: repeat the request."
        };

    /// <summary>The same refusal for a batch that has such items.</summary>
    public Refusal ForBatch() => this with
    {
        Id = null,
        Detail = "The items that batch.refused names with this reason, and all from batch.handled on, are to be sent "
            + "again, with the same ids.",
    };

    public Task ExecuteAsync(HttpContext httpContext)
    {
        // Items of a batch are counted one by one.
        if (Batch is null && httpContext.TakesEvents()) TallyMetrics.EventRefused(Reason);
        // A body that broke off has no next request behind it. The server would look for one, and log a page for each
        // such client.
        if (Reason is "malformed_body" or "body_too_slow") httpContext.Response.Headers.Connection = "close";
        if (Status == StatusCodes.Status401Unauthorized)
            httpContext.Response.Headers.WWWAuthenticate = "Bearer realm=\"tally\"";
        if (Status == StatusCodes.Status426UpgradeRequired)
            (httpContext.Response.Headers.Upgrade, httpContext.Response.Headers.Connection) = ("HTTP/1.1",
                "upgrade, close");
        if (Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
            httpContext.Response.Headers.RetryAfter = $"{RetryAfterSeconds}";
        return new JsonAnswer<Refusal>(this, HttpJson.Default.Refusal, Status, "application/problem+json").ExecuteAsync(
            httpContext);
    }
}
