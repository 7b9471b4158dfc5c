using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What HTML forms with files, FormData and <c>curl -F</c> send.</summary>
[Collection<SharedApp>]
public sealed class MultipartForms(SharedApps apps)
{
    private const string Type = "multipart/form-data; boundary=\"the boundary\"";
    private const string End = "--the boundary--\r\n";

    private readonly string visitor = "multipart-" + Guid.NewGuid();

    private string Good =>
        Part("action", "sign up") + Part("product", "käse") + Part("fingerprint", visitor) + Part("id", "1");

    [Theory, EachStorage]
    public async Task Its_fields_are_an_events_and_files_are_passed_over(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string file =
            "--the boundary\r\nContent-Disposition: form-data; name=\"action\"; filename=\"a.bin\"\r\n\r\n\0\u0001\r\n";
        var receipt =
            await Post(shared,
                Good + file + Part("properties", """{"a":1}""") + Part("other", "x") + Part("other", "y")
                    + Part("timestamp", ""));
        Assert.Equal((200, "1", visitor), (receipt.Status, receipt.Text("id"), receipt.Text("fingerprint")));
        Assert.True(
            (await shared.App.PostForm(
                $"action=sign+up&product=k%C3%A4se&fingerprint={visitor}&id=1&properties=%7B%22a%22:1%7D")).Duplicate);
        using var form = new MultipartFormDataContent
        {
            { new StringContent("view"), "action" }, { new StringContent("k8s"), "product" },
            { new StringContent(visitor), "fingerprint" },
            { new ByteArrayContent([0xFF, 0]), "photo", "x.jpg" },
        };
        Assert.Equal(200, (await shared.App.Send(new(HttpMethod.Post, "/api/events") { Content = form })).Status);
        Assert.Equal(2, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task What_is_broken_too_large_or_given_twice_is_refused(StorageKind storage)
    {
        var shared = await apps.On(storage);
        string[] broken =
        [
            "", "x", Good, Good.Replace("; name=\"id\"", "") + End, Good.Replace("Content-Disposition", "X") + End,
            Good.Replace("\r\n\r\n", "\r\n") + End,
        ];
        foreach (var body in broken)
            (await shared.App.Post(Encoding.UTF8.GetBytes(body), Type)).AssertRefused(400, "malformed_body");
        // not UTF-8
        (await shared.App.Post(Encoding.Latin1.GetBytes(Good + End), Type)).AssertRefused(400, "malformed_body");
        foreach (var type in (string[])["multipart/form-data", $"multipart/form-data; boundary={new string('b', 71)}"])
            (await shared.App.Post(Encoding.UTF8.GetBytes(Good + End), type)).AssertRefused(400, "malformed_body");
        (await Post(shared, Good + Part("action", "again"))).AssertRefused(422, "duplicate_field", "action");
        (await Post(shared, Part("product", "k8s") + Part("fingerprint", visitor))).AssertRefused(422, "missing_field",
            "action");
        (await Post(shared, Good + Part("note", new string('x', 64 * 1024)))).AssertRefused(413, "body_too_large");
        (await Post(shared,
            Good + string.Concat(Enumerable.Range(0, 10_000).Select(i => Part($"f{i}", ""))))).AssertRefused(413,
                "body_too_large");
        Assert.Equal(0, await shared.Rows(visitor));
        Assert.Equal(200,
            (await Post(shared, Good + string.Concat(Enumerable.Range(0, 500).Select(i => Part($"f{i}", ""))))).Status);
    }

    private static string Part(string name, string value) =>
        $"--the boundary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n";

    private static Task<Answer> Post(Shared shared, string parts) =>
        shared.App.Post(Encoding.UTF8.GetBytes(parts + End), Type);
}
