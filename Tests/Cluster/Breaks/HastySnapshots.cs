using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains;

namespace Tally.Tests.Cluster.Breaks;

/// <summary>
/// Writes every snapshot with one event more than the log has, as if it were written before the commit.
/// </summary>
internal sealed class HastySnapshots(IGrainStorage sound) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        sound.ReadStateAsync(stateName, grainId, grainState);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var state = (FingerprintState)(object)grainState.State!;
        var (counter, now) = (state.Counters[0], DateTime.UtcNow);
        state.Apply(new("", state.Sequence + 1,
            new Event(EventIds.Create(now), counter.Action, counter.Product, now, now, null)), Calendar.Utc);
        await sound.WriteStateAsync(stateName, grainId, grainState);
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        sound.ClearStateAsync(stateName, grainId, grainState);

    public void Participate(ISiloLifecycle observer) =>
        ((ILifecycleParticipant<ISiloLifecycle>)sound).Participate(observer);
}
