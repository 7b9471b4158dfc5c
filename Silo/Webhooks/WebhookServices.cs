using Tally.Contracts;
using Tally.Silo.Settings;

namespace Tally.Silo.Webhooks;

internal static class WebhookServices
{
    public static void AddWebhooks(this IServiceCollection services, AppSettings settings)
    {
        services.AddSingleton(all => new WebhookSender(new(settings.WebhookNetworks),
            all.GetRequiredService<Limits>(), all.GetRequiredService<TimeProvider>()));
        services.AddSingleton<RuleSecrets>();
        services.AddSingleton<WebhookSample>();
        services.AddHostedService<FiringDelivery>();
        services.AddHostedService<FiringFigures>();
    }
}
