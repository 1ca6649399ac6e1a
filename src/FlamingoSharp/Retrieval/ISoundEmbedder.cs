using FlamingoSharp.Audio;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Retrieval;

/// <summary>Turns sounds, and where it can texts, into vectors of one space.</summary>
public interface ISoundEmbedder : IDisposable
{
    /// <summary>Which encoder it is; an index records it and takes vectors of no other.</summary>
    EncoderIdentity Encoder { get; }

    /// <summary>How a file is to be read for it: its rate, and the seconds that it hears.</summary>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds read; null for all that it hears.</param>
    SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null);

    /// <summary>Embeds recordings.</summary>
    IEmbeddingGenerator<Recording, Embedding<float>> Sounds { get; }

    /// <summary>Embeds texts into the same space; null for an encoder without a text side.</summary>
    IEmbeddingGenerator<string, Embedding<float>>? Texts { get; }
}
