namespace FlamingoSharp.Training.Sounds;

/// <summary>Everything the data files say: recorded clips, recipes and the questions about both.</summary>
public sealed class SoundCatalogue
{
    private readonly Dictionary<string, LabelledSound> _byId;

    private SoundCatalogue(List<Clip> clips, List<Recipe> recipes, List<Question> questions, Dictionary<string, LabelledSound> byId) =>
        (Clips, Recipes, Questions, _byId) = (clips, recipes, questions, byId);

    /// <summary>The recorded clips, in file order.</summary>
    public IReadOnlyList<Clip> Clips { get; }

    /// <summary>The recipes, in file order.</summary>
    public IReadOnlyList<Recipe> Recipes { get; }

    /// <summary>The questions, in file order.</summary>
    public IReadOnlyList<Question> Questions { get; }

    /// <summary>Clips, then recipes.</summary>
    public IEnumerable<LabelledSound> Sounds => Clips.Concat<LabelledSound>(Recipes);

    /// <summary>The clip or recipe of an id.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public LabelledSound this[string id] => _byId[id];

    /// <summary>Reads <c>catalogue.jsonl</c>, <c>synthesis.jsonl</c> and <c>qa.jsonl</c> of a folder.</summary>
    /// <param name="folder">The folder; of the three files only <c>catalogue.jsonl</c> must exist.</param>
    /// <exception cref="FlamingoException">
    /// A line cannot be read, an id occurs twice, or a question or composition names a sound that is not there.
    /// </exception>
    public static SoundCatalogue Load(string folder)
    {
        string recipes = Path.Combine(folder, "synthesis.jsonl"), questions = Path.Combine(folder, "qa.jsonl");
        return Load(Path.Combine(folder, "catalogue.jsonl"), File.Exists(recipes) ? recipes : null, File.Exists(questions) ? questions : null, leaveOut: null);
    }

    /// <summary>Reads files of any names.</summary>
    /// <param name="clips">The recorded clips.</param>
    /// <param name="recipes">The recipes; null for none.</param>
    /// <param name="questions">The questions; null for none.</param>
    /// <param name="leaveOut">
    /// Told of each recipe or question about sounds that are not in the files, or of another split, and why it is left out: the files are a
    /// part of a larger whole. Null refuses such files.
    /// </param>
    /// <exception cref="FlamingoException">A line cannot be read, or an id occurs twice.</exception>
    internal static SoundCatalogue Load(string clips, string? recipes, string? questions, Action<string, string>? leaveOut) => Build(
        JsonLines.Read(clips, SoundJson.Default.Clip, c => c),
        recipes is null ? [] : JsonLines.Read(recipes, SoundJson.Default.RecipeLine, r => r.ToRecipe()),
        questions is null ? [] : JsonLines.Read(questions, SoundJson.Default.Question, q => q),
        leaveOut);

    /// <summary>The part of the catalogue whose sounds fulfil a condition. A composition whose clips do not is left out with them.</summary>
    internal SoundCatalogue Where(Func<LabelledSound, bool> condition) =>
        Build([.. Clips.Where(c => condition(c))], [.. Recipes.Where(r => condition(r))], [.. Questions], (_, _) => { });

    /// <summary>The catalogue without the clips of some concepts and without the compositions of them.</summary>
    /// <exception cref="FlamingoException">No clip has one of the concepts.</exception>
    internal SoundCatalogue Without(IReadOnlyCollection<string> concepts)
    {
        if (concepts.Count == 0)
            return this;
        var known = Clips.Select(c => c.Concept).OfType<string>().ToHashSet();
        if (concepts.FirstOrDefault(c => !known.Contains(c)) is { } unknown)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"No clip of the catalogue has the concept '{unknown}', so it cannot be left out: name concepts as catalogue.jsonl does, for instance '{known.Order(StringComparer.Ordinal).FirstOrDefault()}'.");
        }
        return Where(sound => sound is not Clip { Concept: { } concept } || !concepts.Contains(concept));
    }

    private static SoundCatalogue Build(List<Clip> clips, List<Recipe> recipes, List<Question> questions, Action<string, string>? leaveOut)
    {
        Dictionary<string, LabelledSound> byId = [];
        foreach (var sound in clips.Concat<LabelledSound>(recipes))
        {
            if (!byId.TryAdd(sound.Id, sound))
                throw Broken($"the id '{sound.Id}' is used twice.");
        }
        if (leaveOut is not null)
            LeaveOutStrangers(clips, recipes, questions, byId, leaveOut);
        foreach (var recipe in recipes.OfType<CompositionRecipe>())
        {
            if (recipe.Parts.FirstOrDefault(p => byId.GetValueOrDefault(p.Ref) is not Clip) is { } part)
                throw Broken($"the recipe '{recipe.Id}' uses '{part.Ref}', which is no clip of the catalogue.");
        }
        if (questions.FirstOrDefault(q => !byId.ContainsKey(q.Ref)) is { } lost)
            throw Broken($"the question '{lost.Id}' asks about '{lost.Ref}', which is neither a clip nor a recipe.");
        return new(clips, recipes, questions, byId);
    }

    private static void LeaveOutStrangers(
        List<Clip> clips, List<Recipe> recipes, List<Question> questions, Dictionary<string, LabelledSound> byId, Action<string, string> leaveOut)
    {
        var splitOf = clips.ToDictionary(c => c.Id, c => c.Split);
        recipes.RemoveAll(recipe =>
        {
            if ((recipe as CompositionRecipe)?.Parts.FirstOrDefault(p => splitOf.GetValueOrDefault(p.Ref) != recipe.Split) is not { } stranger)
                return false;
            leaveOut($"the recipe '{recipe.Id}'", splitOf.ContainsKey(stranger.Ref) ? "uses clips of another split" : "uses clips that are not in the catalogue");
            return byId.Remove(recipe.Id);
        });
        questions.RemoveAll(question =>
        {
            if (byId.ContainsKey(question.Ref))
                return false;
            leaveOut($"the question '{question.Id}'", "asks about a sound that is not there");
            return true;
        });
    }

    private static FlamingoException Broken(string what) => new(FlamingoErrorKind.Input, "The sound catalogue contradicts itself: " + what);
}
