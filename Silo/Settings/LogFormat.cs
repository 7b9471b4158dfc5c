namespace Tally.Silo.Settings;

/// <summary>How a logged message looks on standard output.</summary>
public enum LogFormat { Text, Json }
