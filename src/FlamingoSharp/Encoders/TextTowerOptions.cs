namespace FlamingoSharp.Encoders;

/// <summary>How the tokens of a text become one vector.</summary>
public enum TextPooling
{
    /// <summary>The first token's, through a linear layer and tanh, as in RoBERTa.</summary>
    FirstToken,

    /// <summary>The mean over the tokens.</summary>
    Mean,
}

/// <summary>A transformer that reads a text. Defaults: RoBERTa-base, the text branch of LAION-CLAP (arXiv 1907.11692).</summary>
public sealed record TextTowerOptions
{
    /// <summary>Rows of the token table.</summary>
    public int VocabularySize { get; init; } = 50265;

    /// <summary>Width of the vectors inside.</summary>
    public int Width { get; init; } = 768;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Attention heads; they divide the width.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width of a layer's inner layer.</summary>
    public int FeedForward { get; init; } = 3072;

    /// <summary>Rows of the position table; the first two are no positions of a text.</summary>
    public int Positions { get; init; } = 514;

    /// <summary>Added to variances in the norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>How the tokens become one vector.</summary>
    public TextPooling Pooling { get; init; } = TextPooling.FirstToken;

    /// <summary>In training: the share of activations and attention weights that is dropped.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Tokens of a text that are read, begin and end included; what follows is cut. Source: LAION-CLAP.</summary>
    public int MaxTokens { get; init; } = 77;

    /// <summary>Checks that the sizes fit each other.</summary>
    /// <exception cref="FlamingoException">They do not.</exception>
    public void Validate()
    {
        Require(VocabularySize > 0 && Width > 0 && Layers > 0 && FeedForward > 0, "every size must be more than 0");
        Require(Heads > 0 && Width % Heads == 0, $"{Heads} heads do not divide the width {Width}");
        Require(MaxTokens is > 2 && MaxTokens <= Positions - TextTower.FirstPosition,
            $"texts of {MaxTokens} tokens do not fit {Positions} positions, of which {TextTower.FirstPosition} are for padding, or hold no word");
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new FlamingoException(FlamingoErrorKind.Model, $"The options of the text tower do not fit together: {problem}.");
    }
}
