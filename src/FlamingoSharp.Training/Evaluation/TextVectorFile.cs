using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A text and its vector, a line of a file.</summary>
internal sealed record TextVector(string Text, float[] Vector);

/// <summary>
/// Vectors that another program has made, e.g. a sentence-BERT in Python: a file with <c>{"text": …, "vector": […]}</c> on each line. The texts that
/// it lacks are written beside it, so that the other program can be given them.
/// </summary>
internal sealed class TextVectorFile : ITextEmbedder
{
    private readonly Dictionary<string, float[]> _vectors = new(StringComparer.Ordinal);
    private readonly string _missingPath;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param> <param name="missingPath">Where to list texts without a vector.</param>
    /// <exception cref="FlamingoException">It is missing, a line is of another form, or vectors differ in length.</exception>
    public TextVectorFile(string path, string missingPath)
    {
        _missingPath = missingPath;
        Name = $"{Path.GetFileName(path)} (SHA-256 {(File.Exists(path) ? Fingerprint.OfFile(path, default)[..12] : "")})";
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"The file of text vectors '{path}' does not exist; check the path.");
        int number = 0;
        foreach (byte[] line in LineJournal.Read(path))
        {
            number++;
            if (LineJournal.Parse(line, EvaluationJson.Lines.TextVector) is not { Text: not null, Vector.Length: > 0 } vector)
                throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}', line {number}: expected {{\"text\": …, \"vector\": […]}}.");
            if (_vectors.Count > 0 && _vectors.Values.First().Length is var length && length != vector.Vector.Length)
                throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}', line {number}: the vector has {vector.Vector.Length} numbers, but those before have {length}; all must be of one model.");
            _vectors[vector.Text] = vector.Vector;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Checks that every text has a vector; lists those that have none.</summary>
    /// <exception cref="FlamingoException">Some have none.</exception>
    public void Require(IEnumerable<string> texts)
    {
        string[] missing = [.. texts.Distinct().Where(t => !_vectors.ContainsKey(t))];
        if (missing.Length == 0)
            return;
        Weights.AtomicFile.Write(_missingPath, file =>
        {
            foreach (string text in missing)
            {
                file.Write(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new TextVector(text, []), EvaluationJson.Lines.TextVector));
                file.WriteByte((byte)'\n');
            }
        });
        throw new FlamingoException(FlamingoErrorKind.Input,
            $"{missing.Length} texts have no vector; they are listed in '{_missingPath}': add their vectors to the file, and run the same command again.");
    }

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Embed(IReadOnlyList<string> texts)
    {
        Require(texts);
        return [.. texts.Select(t => _vectors[t])];
    }
}
