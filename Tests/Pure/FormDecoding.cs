using System.Text;
using CsCheck;
using Tally.Contracts;
using Tally.Silo.Http;

namespace Tally.Tests.Pure;

public sealed class FormDecoding
{
    [Theory]
    [InlineData("%ED%A0%80")] // a lone surrogate
    [InlineData("%ED%BF%BF")]
    [InlineData("%C0%AF")] // an overlong '/'
    [InlineData("%E0%80%AF")]
    [InlineData("%F5%80%80%80")] // beyond Unicode
    [InlineData("%80")]
    [InlineData("%C3")]
    [InlineData("%C3+")]
    [InlineData("%")]
    [InlineData("%4")]
    [InlineData("a%")]
    [InlineData("%zz")]
    [InlineData("%4g")]
    [InlineData("%u0041")]
    [InlineData("%+1")]
    public void What_cannot_be_decoded_is_refused(string raw)
    {
        var fields = new EventFields();
        Assert.Equal("malformed_body", Read($"action=view&fingerprint={raw}&product=k8s", fields)?.Reason);
        Assert.Equal("malformed_body", Read($"{raw}=1", new())?.Reason);
        Assert.Equal("malformed_path", FingerprintPath.Parse($"/api/fingerprints/{raw}", new()).Refusal?.Reason);
    }

    [Fact]
    public void Raw_bytes_that_are_no_utf8_are_refused() =>
        Assert.NotNull(EventEndpoint.ParseForm([.. "fingerprint="u8, 0xFF], new()));

    [Fact]
    public void Every_text_comes_back_from_its_encoding() => Text.Sample(text =>
    {
        var fields = new EventFields();
        Assert.Null(Read($"fingerprint={Uri.EscapeDataString(text)}", fields));
        Assert.Equal(text, fields.Fingerprint);
        fields = new();
        Assert.Null(Read($"fingerprint={string.Concat(Encoding.UTF8.GetBytes(text).Select(b => $"%{b:x2}"))}", fields));
        Assert.Equal(text, fields.Fingerprint);
    });

    [Theory]
    [InlineData("a+b", "a b")]
    [InlineData("a%2Bb", "a+b")]
    [InlineData("a%26b%3Dc", "a&b=c")]
    [InlineData("a=b", "a=b")]
    [InlineData("%00", "\0")]
    [InlineData("%EF%BB%BFa", "\uFEFFa")]
    [InlineData("%f0%9f%98%80", "😀")]
    [InlineData("", "")]
    public void A_form_value_is_what_it_encodes(string raw, string value)
    {
        var fields = new EventFields();
        Assert.Null(Read($"product={raw}", fields));
        Assert.Equal(value, fields.Product);
    }

    [Theory]
    [InlineData("action")]
    [InlineData("product")]
    [InlineData("fingerprint")]
    [InlineData("id")]
    public void A_field_given_twice_is_refused(string field)
    {
        var refusal = Read($"{field}=1&other=2&%{(int)field[0]:X2}{field[1..]}=1", new());
        Assert.Equal(("duplicate_field", field), (refusal?.Reason, refusal?.Field));
    }

    [Fact]
    public void Fields_are_told_apart_and_unknown_ones_skipped()
    {
        var fields = new EventFields();
        Assert.Null(Read("&x=1&action=a&product=b&&fingerprint=c&id=d&x=2&Action=e&=f&g", fields));
        Assert.Equal(("a", "b", "c", "d"), (fields.Action, fields.Product, fields.Fingerprint, fields.Id));
    }

    [Theory]
    [InlineData("/api/fingerprints/XYZ", "XYZ")]
    [InlineData("/api/fingerprints/XYZ/events?after=1", "XYZ")]
    [InlineData("/api/fingerprints/XYZ?a=/api/fingerprints/../b", "XYZ")]
    [InlineData("/api/fingerprints/.XYZ..", ".XYZ..")]
    [InlineData("/API/Fingerprints/XYZ", "XYZ")]
    [InlineData("http://host/api/fingerprints/XYZ", "XYZ")]
    [InlineData("/api/fingerprints/..", "..")]
    [InlineData("/api/fingerprints/%2E%2e/events?x", "..")]
    [InlineData("/api/fingerprints/a/../b", "a")] // though routing finds no such path
    [InlineData("/api/fingerprints/a%2Fb", "a/b")]
    [InlineData("/api/fingerprints/a%252Fb", "a%2Fb")]
    [InlineData("/api/fingerprints/a%3Fb", "a?b")]
    [InlineData("/api/fingerprints/a+b", "a+b")]
    [InlineData("/api/fingerprints/a%20b", "a b")]
    [InlineData("/api/fingerprints/na%C3%AFve", "naïve")]
    public void A_path_names_its_fingerprint(string target, string fingerprint)
    {
        var path = FingerprintPath.Parse(target, new());
        Assert.Null(path.Refusal);
        Assert.Equal(fingerprint, path.Fingerprint);
    }

    [Fact]
    public void Two_fingerprints_never_have_one_path() =>
        Gen.Select(Text, Text).Where((a, b) => a != b).Sample((a, b) =>
        Assert.NotEqual(FingerprintPath.Parse(PathOf(a), Roomy).Fingerprint,
            FingerprintPath.Parse(PathOf(b), Roomy).Fingerprint));

    [Fact]
    public void Every_fingerprint_has_a_path() => Text.Sample(text =>
        Assert.Equal(text, FingerprintPath.Parse(PathOf(text), Roomy).Fingerprint));

    [Theory]
    [InlineData("/api/fingerprints/", "malformed_path")]
    [InlineData("/api/fingerprints/?a=b", "malformed_path")]
    [InlineData("/api/fingerprints/a%00", "invalid_characters")]
    [InlineData("/api/fingerprints/a%C2%85", "invalid_characters")]
    [InlineData("/api/other/a", "malformed_path")]
    public void A_path_that_names_none_is_refused(string target, string reason) =>
        Assert.Equal(reason, FingerprintPath.Parse(target, new()).Refusal?.Reason);

    [Fact]
    public void The_longest_fingerprint_fits_and_one_byte_more_does_not()
    {
        var limits = new Limits { FingerprintBytesMax = 9 };
        Assert.Null(FingerprintPath.Parse("/api/fingerprints/%E2%98%95%E2%98%95%E2%98%95", limits).Refusal);
        Assert.Equal("too_long",
            FingerprintPath.Parse("/api/fingerprints/%E2%98%95%E2%98%95%E2%98%95a", limits).Refusal?.Reason);
    }

    private static readonly Limits Roomy = new() { FingerprintBytesMax = 1024 };

    // Well-formed Unicode, with many of the characters that encodings trip over.
    private static readonly Gen<string> Text = Gen.OneOf(
            Gen.OneOf("%", "+", "/", "?", "&", "=", " ", "%2F", "%25", ".. ", "é", "☕", "😀", "\0"),
            Gen.Char['a', 'f'].Select(c => c.ToString()))
        .Array[1, 12].Select(string.Concat);

    private static string PathOf(string fingerprint) => $"/api/fingerprints/{Uri.EscapeDataString(fingerprint)}";

    private static Refusal? Read(string body, EventFields fields) =>
        EventEndpoint.ParseForm(Encoding.UTF8.GetBytes(body), fields);
}
