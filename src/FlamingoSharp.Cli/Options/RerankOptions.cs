using System.CommandLine;

namespace FlamingoSharp.Cli.Options;

/// <summary>Choosing among several answers by how well each fits the sound.</summary>
internal sealed class RerankOptions
{
    /// <summary>What is said where no answer fits.</summary>
    public const string NotSure = "not sure";

    private readonly Option<bool> _rerank = new("--rerank")
    {
        Description = "Draw --candidates answers (10 if not said otherwise) and print the one that fits the sound best by --encoder, which must read texts too.",
    };

    private readonly Option<double> _threshold = new("--threshold")
    {
        Description = $"With --rerank: least cosine of an answer and the sound; below it the answer is \"{NotSure}\".",
        HelpName = "COSINE",
        DefaultValueFactory = _ => 0,
    };

    public void AddTo(Command command)
    {
        command.Add(_rerank);
        command.Add(_threshold);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(_rerank) && result.GetResult(_threshold) is { Implicit: false })
                result.AddError("--threshold has no effect without --rerank; add it, or leave --threshold out.");
        });
    }

    public bool IsAsked(ParseResult parse) => parse.GetValue(_rerank);

    public double ThresholdOf(ParseResult parse) => parse.GetValue(_threshold);
}
