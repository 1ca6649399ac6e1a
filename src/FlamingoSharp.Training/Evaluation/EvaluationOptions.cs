using FlamingoSharp.Generation;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>One of several processes that share an evaluation.</summary>
/// <param name="Index">Which, from 0.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct Shard(int Index, int Count)
{
    /// <summary>A process that does everything.</summary>
    public static Shard Whole { get; } = new(0, 1);

    /// <summary>Reads <c>i/n</c>, i from 1 to n.</summary>
    /// <exception cref="FlamingoException">The text is of another form.</exception>
    public static Shard Parse(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], out int index) && int.TryParse(parts[1], out int count) && index >= 1 && index <= count
            ? new(index - 1, count)
            : throw new FlamingoException(FlamingoErrorKind.Usage, $"The shard is '{text}'; expected I/N with I from 1 to N, e.g. 2/4.");
    }
}

/// <summary>Which comparisons an evaluation makes beside the model.</summary>
internal enum BaselineChoice
{
    /// <summary>None.</summary>
    None,

    /// <summary>The most frequent training answer.</summary>
    Frequent,

    /// <summary>Also the answer of the training sound with the most similar log-mel statistics, which hears every training sound once.</summary>
    All,
}

/// <summary>What is evaluated, and how.</summary>
internal sealed record EvaluationOptions
{
    /// <summary>A data set's folder, or a manifest <c>Dataset-Task/split.json</c>.</summary>
    public required string Data { get; init; }

    /// <summary>The model's folder.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>Where journal and report go.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>The split of a data set; a manifest has one of its own.</summary>
    public string Split { get; init; } = "test";

    /// <summary>Names of rows of the papers' tables; empty takes those whose manifests these are.</summary>
    public IReadOnlyList<string> Presets { get; init; } = [];

    /// <summary>The folder of the recordings, instead of the one that the manifest names.</summary>
    public string? DataRoot { get; init; }

    /// <summary>Items of each row at most, evenly spread; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Questions with choices are asked a second time without them.</summary>
    public bool Free { get; init; } = true;

    /// <summary>What is heard is also asked in dialogues of two turns, to see whether the model stands by its answers.</summary>
    public bool Dialogues { get; init; }

    /// <summary>Questions answered together; the answers are those that each alone would get.</summary>
    public int Batch { get; init; } = 16;

    /// <summary>Throws away the answers of earlier runs.</summary>
    public bool Restart { get; init; }

    /// <summary>Which part this process does.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>Waits until the other processes are here as well, where mpirun has started them together; null where they know nothing of each other.</summary>
    public Action? Meet { get; init; }

    /// <summary>How answers are generated; null takes the model's own way, greedily.</summary>
    public GenerationOptions? Generation { get; init; }

    /// <summary>Device and element type.</summary>
    public FlamingoLoadOptions Load { get; init; } = new();

    /// <summary>Comparisons beside the model.</summary>
    public BaselineChoice Baselines { get; init; } = BaselineChoice.All;

    /// <summary>File of the log-mel statistics of sounds, to be shared by evaluations; null keeps it in the output folder.</summary>
    public string? FeatureFile { get; init; }

    /// <summary>Says which texts mean the same; null leaves the measures out that need it.</summary>
    public ITextEmbedder? Embedder { get; init; }
}
