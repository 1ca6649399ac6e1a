using System.CommandLine;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo chat</c>: a conversation about sounds that are heard once.</summary>
internal sealed class ChatVerb : Verb
{
    private const string Help = "Type a question. /clear forgets the conversation, /quit (or the end of input) leaves, /help shows this.";

    private readonly Argument<string[]> _files = new("FILE") { Description = "One or more sounds that the conversation is about; none for text alone.", Arity = ArgumentArity.ZeroOrMore };

    private readonly Option<bool> _showPrompt = new("--show-prompt") { Description = "Also print exactly what the model reads (standard error, or a JSON field)." };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a turn, each on its line." };

    private readonly ModelOptions _model = new();
    private readonly HearingOptions _hearing = new();
    private readonly AnsweringOptions _answering = new();

    public ChatVerb()
        : base("chat", "Talk about one or more sounds; they are heard once.",
            "flamingo chat samples/rain.wav",
            "flamingo chat a.wav b.wav --model af1-chat --sample --top-p 0.95",
            "printf 'What is this?\\nHow loud is it?\\n' | flamingo chat samples/bell.wav")
    {
        Add(_files);
        _model.AddTo(this);
        _hearing.AddTo(this);
        _answering.AddTo(this);
        Add(_showPrompt);
        Add(_json);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        if (_answering.Read(parse).NumReturnSequences > 1)
            throw new FlamingoException(FlamingoErrorKind.Usage, "A conversation goes on with one answer; leave --candidates out.");
        using var flamingo = _model.Load(parse);
        var sounds = new List<Sound>();
        var conversation = new Conversation(flamingo, sounds, _answering.Read(parse, flamingo.Config.Generation));
        try
        {
            foreach (string file in InputFiles.Expand(parse.GetValue(_files)!))
                sounds.Add(_hearing.Hear(flamingo, file, parse, cancellation));
            return await TalkAsync(parse, conversation, cancellation).ConfigureAwait(false);
        }
        finally
        {
            sounds.ForEach(s => s.Dispose());
        }
    }

    private async Task<int> TalkAsync(ParseResult parse, Conversation conversation, CancellationToken cancellation)
    {
        bool person = !Console.IsInputRedirected && Terminal.Watched;
        if (person)
            Console.Error.WriteLine(Help);
        int code = ExitCode.Ok;
        while (true)
        {
            if (person)
                Console.Error.Write("> ");
            // Reading a console cannot be cancelled, but waiting for it can.
            string? line = await Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(cancellation).ConfigureAwait(false);
            switch (line?.Trim())
            {
                case null or "/quit" or "/exit":
                    return code;
                case "":
                    break;
                case "/help":
                    Console.Error.WriteLine(Help);
                    break;
                case "/clear":
                    conversation.Clear();
                    break;
                case ['/', .. string unknown]:
                    Terminal.Note($"There is no command /{unknown}. {Help}");
                    break;
                case { } said:
                    int turn = await AnswerAsync(parse, conversation, said, cancellation).ConfigureAwait(false);
                    code = code == ExitCode.Ok ? turn : code;
                    break;
            }
        }
    }

    private async Task<int> AnswerAsync(ParseResult parse, Conversation conversation, string said, CancellationToken cancellation)
    {
        bool json = parse.GetValue(_json);
        string? prompt = parse.GetValue(_showPrompt) ? conversation.Show(said) : null;
        if (prompt is not null && !json)
            Console.Error.WriteLine(prompt);
        try
        {
            var (text, finish) = await conversation.SayAsync(said, json ? _ => { } : Terminal.SayPart, cancellation).ConfigureAwait(false);
            Terminal.Say(json ? JsonSerializer.Serialize(new ChatLine(said, text, AnswerLine.NameOf(finish), prompt), CliJson.Lines.ChatLine) : "");
            if (finish == FinishReason.Length)
                Terminal.Note("The answer was cut off; --max-tokens allows more.");
            return ExitCode.Ok;
        }
        catch (FlamingoException e)
        {
            return Terminal.Fail(e); // e.g. the conversation no longer fits; /clear helps, so it stays open
        }
    }
}
