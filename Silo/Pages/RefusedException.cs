using Tally.Silo.Http;

namespace Tally.Silo.Pages;

/// <summary>The API refuses what a page asks it.</summary>
internal sealed class RefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    public Refusal Refusal => refusal;
}
