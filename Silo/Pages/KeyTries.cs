using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;

namespace Tally.Silo.Pages;

/// <summary>Limits how often an address may try a key in a form, so that nobody guesses one.</summary>
internal sealed class KeyTries(Limits limits) : AddressTries(limits);
