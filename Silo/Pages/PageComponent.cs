using Microsoft.AspNetCore.Components;
using Tally.Silo.Pages.Words;

namespace Tally.Silo.Pages;

/// <summary>A page or a part of one.</summary>
public abstract class PageComponent : ComponentBase
{
    [CascadingParameter] public PageContext Page { get; set; } = null!;

    /// <summary>All texts, in the reader's language.</summary>
    protected Texts T => Page.Texts;
}
