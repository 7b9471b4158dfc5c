namespace Tally.Silo.Import.Tools;

/// <summary>How the records of a file become events.</summary>
internal abstract class ToolFormat
{
    /// <summary>Whether the first record names the columns of the others.</summary>
    public virtual bool HasHeader => false;

    /// <param name="record">A line or a row, which is neither too long nor blank.</param>
    /// <returns>Its events: mostly one.</returns>
    public abstract IEnumerable<Item> Parse(Record record);
}
