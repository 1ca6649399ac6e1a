using System.Text;

namespace FlamingoSharp.Text;

/// <summary>Turns tokens into text as they come, whole characters at a time: bytes of an unfinished character wait for the next token.</summary>
/// <remarks>What <see cref="Push"/> and <see cref="Finish"/> return, put together, equals <see cref="Tokenizer.Decode"/> of all tokens.</remarks>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    internal StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens) => (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);

    /// <summary>Adds a token.</summary>
    /// <returns>The characters it completes, often none or several.</returns>
    public string Push(int id) => Convert(_tokenizer.Bytes(id, _skipSpecialTokens), flush: false);

    /// <summary>Ends the text.</summary>
    /// <returns>U+FFFD if the last character was never finished, else nothing.</returns>
    public string Finish() => Convert([], flush: true);

    private string Convert(byte[] bytes, bool flush)
    {
        char[] characters = new char[_decoder.GetCharCount(bytes, flush)];
        return new string(characters, 0, _decoder.GetChars(bytes, characters, flush));
    }
}
