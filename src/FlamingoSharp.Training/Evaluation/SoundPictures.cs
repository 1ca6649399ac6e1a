using System.Collections.Concurrent;
using FlamingoSharp.Audio;
using FlamingoSharp.Explain;
using FlamingoSharp.Models;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>Spectrograms of the sounds of predictions, as the model's encoder gets them.</summary>
internal sealed class SoundPictures(FlamingoConfig config, CancellationToken cancellation)
{
    private const int MostFrames = 300; // about as many as a page shows side by side

    private readonly ConcurrentDictionary<HeardPart, byte[]?> _known = [];

    /// <summary>The picture of a prediction's sound; null where the sound cannot be read any more.</summary>
    public byte[]? Of(Prediction prediction) => _known.GetOrAdd(prediction.Heard, Draw);

    /// <summary>Draws many at once, as many at a time as there are processors.</summary>
    public void Prepare(IEnumerable<Prediction> predictions) => Parallel.ForEach(
        predictions.Select(p => p.Heard).Distinct(),
        new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount },
        part => _known.GetOrAdd(part, Draw));

    private byte[]? Draw(HeardPart part)
    {
        try
        {
            var recording = SoundFile.Load(part.Path, SoundOptions.For(config.Windows, part.Start, part.Duration), cancellation);
            return SpectrogramImage.Of(recording, config.Windows.MaxSeconds, config.Encoder.Mel, MostFrames);
        }
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
        {
            return null;
        }
    }
}
