using System.Numerics;

namespace Tally.Grains;

/// <summary>
/// The days on which something happened, counted from 0001-01-01: one bit a day from the first day's word on. A visitor
/// of one day costs 8 bytes of bits, a daily visitor of two years 92.
/// </summary>
[GenerateSerializer, Alias("tally.DaySet")]
public sealed class DaySet
{
    private const int DaysPerWord = 64;

    [Id(0)] private int firstWord;
    [Id(1)] private ulong[] words = [];

    public int Count => words.Sum(BitOperations.PopCount);

    public bool Contains(int day)
    {
        var word = day / DaysPerWord - firstWord;
        return (uint)word < (uint)words.Length && (words[word] & Bit(day)) != 0;
    }

    /// <summary>The days, ascending.</summary>
    public IEnumerable<int> All()
    {
        for (var word = 0; word < words.Length; word++)
            for (var bits = words[word]; bits != 0; bits &= bits - 1)
                yield return (firstWord + word) * DaysPerWord + BitOperations.TrailingZeroCount(bits);
    }

    public void Add(int day)
    {
        var word = day / DaysPerWord;
        if (words.Length == 0) firstWord = word;
        if (word < firstWord)
        {
            words = [.. new ulong[firstWord - word], .. words];
            firstWord = word;
        }
        if (word - firstWord >= words.Length) Array.Resize(ref words, word - firstWord + 1);
        words[word - firstWord] |= Bit(day);
    }

    public DaySet Copy() => new() { firstWord = firstWord, words = [.. words] };

    public bool SameAs(DaySet other) => firstWord == other.firstWord && words.AsSpan().SequenceEqual(other.words);

    private static ulong Bit(int day) => 1UL << (day % DaysPerWord);
}
