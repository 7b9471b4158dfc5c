using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tally.Grains.Rules;

/// <summary>The id of a firing: whoever gets it twice can tell.</summary>
public static class FiringId
{
    private const int Bytes = 16;

    /// <summary>Depends on nothing else. Neither a rule's name nor a fingerprint has a line end.</summary>
    public static string Create(string rule, int version, string fingerprint, long sequence)
    {
        var parts = string.Create(CultureInfo.InvariantCulture, $"{rule}\n{version}\n{fingerprint}\n{sequence}");
        return "fir_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts)).AsSpan(0, Bytes));
    }
}
