namespace Tally.Silo.Settings;

/// <summary>A mistake in how the program was called: one line, exit code 2.</summary>
public sealed class UsageException(string message) : Exception(message);
