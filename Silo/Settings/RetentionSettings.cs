namespace Tally.Silo.Settings;

/// <summary>What is removed by age; null removes nothing.</summary>
/// <param name="Retention">An event is pruned this long after it was accepted.</param>
/// <param name="ForgetAfter">A fingerprint is erased whole this long after its last event.</param>
public sealed record RetentionSettings(TimeSpan? Retention, TimeSpan? ForgetAfter);
