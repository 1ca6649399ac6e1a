using System.Text;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli;

/// <summary>A dialogue about sounds: its turns so far, and the next answer.</summary>
internal sealed class Conversation(Flamingo flamingo, IReadOnlyList<Sound> sounds, GenerationOptions generation)
{
    private readonly DialogueFormat _format = DialogueFormat.For(flamingo.Config.Prompts) ?? throw new FlamingoException(FlamingoErrorKind.Usage,
        $"{flamingo.Config.Name} has no form for dialogues: Audio Flamingo 2 answers single questions. Ask them with 'flamingo ask'.");

    private readonly List<DialogueRound> _rounds = [];

    /// <summary>Forgets what was said; the sounds stay.</summary>
    public void Clear() => _rounds.Clear();

    /// <summary>Exactly what the model would read.</summary>
    public string Show(string said) => Prompt(said).Show(flamingo.Tokenizer);

    /// <summary>Says something and takes the answer into the conversation.</summary>
    /// <param name="said">The user's words.</param> <param name="part">Is given the answer as it comes.</param> <param name="cancellation">Stops at a token.</param>
    /// <exception cref="FlamingoException">The conversation is longer than the model's context; it stays as it was.</exception>
    public async Task<(string Text, FinishReason Finish)> SayAsync(string said, Action<string> part, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        var finish = FinishReason.Stop;
        await foreach (var delta in flamingo.StreamAsync(new Question(Prompt(said), sounds), generation, cancellation).ConfigureAwait(false))
        {
            string next = text.Length == 0 ? delta.Text.TrimStart() : delta.Text;
            text.Append(next);
            part(next);
            finish = delta.Finish ?? finish;
        }
        string answer = text.ToString().Trim();
        _rounds.Add(new DialogueRound(said, answer));
        return (answer, finish);
    }

    private Prompt Prompt(string said) => _format.Render([.. _rounds, new DialogueRound(said)], sounds: sounds.Count);
}
