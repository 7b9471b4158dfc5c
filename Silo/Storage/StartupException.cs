namespace Tally.Silo.Storage;

/// <summary>What keeps the process from starting, in one line for the operator.</summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
