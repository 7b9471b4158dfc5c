using Tally.Silo.Http.Trackers;

namespace Tally.Tests.Pure;

/// <summary>Addresses of pages, as trackers send them: no text throws.</summary>
public sealed class PageUrls
{
    [Theory]
    [InlineData("https://shop.example/a%20b/?q=1#top", "shop.example", "/a%20b/", "q=1", "#top")]
    [InlineData("HTTPS://User:secret@Shop.Example:8443", "shop.example:8443", "/", "", "")]
    [InlineData("//shop.example/x", "shop.example", "/x", "", "")]
    [InlineData("/path?x=https://other.example/", null, "/path", "x=https://other.example/", "")]
    [InlineData("/path/https://other.example/", null, "/path/https://other.example/", "", "")]
    [InlineData("app://shop?a#b?c", "shop", "/", "a", "#b?c")]
    [InlineData("file:///home/x.html", null, "/home/x.html", "", "")]
    [InlineData("about:blank", null, "about:blank", "", "")]
    [InlineData("?a=1", null, "/", "a=1", "")]
    [InlineData("#", null, "/", "", "#")]
    [InlineData("://", null, "://", "", "")]
    [InlineData("https://", null, "/", "", "")]
    [InlineData("https://@/\ud800", null, "/\ud800", "", "")]
    public void One_is_split_and_kept_as_it_was(string url, string? host, string path, string query, string hash) =>
        Assert.Equal(new PageUrl(host, path, query, hash), PageUrl.Parse(url));

    [Theory]
    [InlineData("https://www.google.com/search?q=x", "www.google.com")]
    [InlineData("android-app://com.google.android.gm/", "com.google.android.gm")]
    [InlineData("newsletter", "newsletter")]
    [InlineData("//x.example", "x.example")]
    [InlineData("/own/page", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_referrer_is_a_site_or_a_name(string? referrer, string? site) =>
        Assert.Equal(site, PageUrl.SiteOf(referrer));

    [Theory]
    [InlineData("/?utm_source=a+b&utm_x=%C3%A9&UTM_Y=1&x=utm_z", "utm_source=a b;utm_x=é")]
    [InlineData("/?utm_source=a&utm_medium=%zz&utm_x=b", "utm_source=a")]
    [InlineData("/?x=1", "")]
    public void A_campaign_is_read_up_to_where_it_cannot_be_read(string url, string campaign) => Assert.Equal(campaign,
        string.Join(';', PageUrl.Parse(url)!.Campaign().Select(one => $"{one.Name}={one.Value}")));

    [Theory]
    [InlineData("1920x1080", """{"screen":1536}""")]
    [InlineData("1470", """{"screen":1024}""")]
    [InlineData("320,568,2", """{"screen":0}""")]
    [InlineData("0x0", null)]
    [InlineData("-5", null)]
    [InlineData("99999999999", null)]
    [InlineData("wide", null)]
    [InlineData(null, null)]
    public void A_screen_is_the_class_of_its_width(string? size, string? json)
    {
        var properties = new TrackerProperties();
        properties.AddScreen(size);
        Assert.Equal(json, properties.ToJson());
    }
}
