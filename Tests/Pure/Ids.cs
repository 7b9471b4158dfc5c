using CsCheck;
using Tally.Contracts;

namespace Tally.Tests.Pure;

public sealed class Ids
{
    [Theory] // they must never change, because rows hold them
    [InlineData("order-17", "72a90ea3-da8b-8dd0-9bde-2f27314e02e2")]
    [InlineData("", "e3b0c442-98fc-8c14-9afb-f4c8996fb924")]
    [InlineData("naïve ☕", "32c7a56e-f96e-8fbc-a6f6-06d3d5e2e4c9")]
    [InlineData("\0", "6e340b9c-ffb3-8a98-9ca5-44e6bb780a2c")]
    public void A_string_keeps_the_uuid_that_it_always_had(string id, string uuid) =>
        Assert.Equal(uuid, EventIds.FromClient(id).ToString());

    [Fact]
    public void A_uuid_is_itself_in_any_case() => Gen.Guid.Sample(uuid =>
    {
        Assert.Equal(uuid, EventIds.FromClient(uuid.ToString()));
        Assert.Equal(uuid, EventIds.FromClient(uuid.ToString().ToUpperInvariant()));
    });

    [Theory]
    [InlineData(" 0f8fad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e\n")]
    [InlineData("+f8fad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("0xffad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("{0f8fad5b-d9cb-469f-a165-70867728950e}")]
    [InlineData("0f8fad5bd9cb469fa16570867728950e")]
    public void What_only_resembles_a_uuid_is_a_string_of_its_own(string id)
    {
        var uuid = EventIds.FromClient(id);
        Assert.Equal(8, uuid.Version);
        Assert.Equal(0b10, uuid.Variant >> 2);
    }

    [Fact]
    public void Different_strings_have_different_uuids_of_version_8() =>
        Gen.Select(Gen.String[0, 128], Gen.String[0, 128]).Where((a, b) => a != b).Sample((a, b) =>
        {
            Assert.NotEqual(EventIds.FromClient(a), EventIds.FromClient(b));
            Assert.Equal(8, EventIds.FromClient(a).Version);
        });

    [Fact]
    public void The_longest_id_that_any_limit_allows_has_room()
    {
        var longest = new string('☕', Limits.EventIdCharactersCeiling);
        Assert.Equal(8, EventIds.FromClient(longest).Version);
    }

    [Fact]
    public void Made_ids_are_version_7_and_lie_in_the_order_of_their_moments()
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var ids = Enumerable.Range(0, 100).Select(i => EventIds.Create(now.AddMilliseconds(i)).ToString()).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.All(ids, id => Assert.Equal(7, Guid.Parse(id).Version));
    }

    [Theory]
    [InlineData("00ff")]
    [InlineData("ff")]
    [InlineData("~")]
    [InlineData("0f8fad5bd9cb469fa16570867728950e")]
    public void A_grain_key_is_never_hex_and_gives_its_fingerprint_back(string fingerprint)
    {
        var key = FingerprintKey.For(fingerprint);
        Assert.False(char.IsAsciiHexDigit(key[0]));
        Assert.Equal(fingerprint, FingerprintKey.Fingerprint(key));
    }

    [Theory]
    [InlineData("")]
    [InlineData("~")]
    [InlineData("ff")]
    public void What_is_no_key_of_a_fingerprint_throws(string key) =>
        Assert.Throws<ArgumentException>(() => FingerprintKey.Fingerprint(key));
}
