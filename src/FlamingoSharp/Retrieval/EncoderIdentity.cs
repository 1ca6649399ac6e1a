namespace FlamingoSharp.Retrieval;

/// <summary>Which encoder made the vectors of an index: vectors of two encoders mean nothing to each other.</summary>
/// <param name="Name">Shown to users, e.g. <c>flamingo-mini</c>.</param>
/// <param name="WeightsHash">SHA-256 of its weights, hexadecimal; two encoders of one name and other weights differ.</param>
/// <param name="Dimension">Width of a vector.</param>
public sealed record EncoderIdentity(string Name, string WeightsHash, int Dimension)
{
    /// <summary>For messages: name, width, and the beginning of the hash.</summary>
    public override string ToString() => $"{Name} ({Dimension} dimensions, weights {WeightsHash[..Math.Min(8, WeightsHash.Length)]})";

    /// <summary>Refuses to go on where an index was made by another encoder.</summary>
    /// <param name="index">What messages call the index.</param> <param name="asking">The encoder of the vectors at hand.</param>
    /// <exception cref="FlamingoException">It is another.</exception>
    internal void Require(string index, EncoderIdentity asking)
    {
        if (this != asking)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"The index '{index}' was made by the encoder {this}, but this one is {asking}. Use the model that it was made with, or build the index anew.");
        }
    }
}
