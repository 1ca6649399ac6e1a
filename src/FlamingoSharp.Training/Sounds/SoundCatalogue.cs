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
        return Build(
            JsonLines.Read(Path.Combine(folder, "catalogue.jsonl"), SoundJson.Default.Clip, c => c),
            File.Exists(recipes) ? JsonLines.Read(recipes, SoundJson.Default.RecipeLine, r => r.ToRecipe()) : [],
            File.Exists(questions) ? JsonLines.Read(questions, SoundJson.Default.Question, q => q) : []);
    }

    private static SoundCatalogue Build(List<Clip> clips, List<Recipe> recipes, List<Question> questions)
    {
        Dictionary<string, LabelledSound> byId = [];
        foreach (var sound in clips.Concat<LabelledSound>(recipes))
        {
            if (!byId.TryAdd(sound.Id, sound))
                throw Broken($"the id '{sound.Id}' is used twice.");
        }
        foreach (var recipe in recipes.OfType<CompositionRecipe>())
        {
            if (recipe.Parts.FirstOrDefault(p => byId.GetValueOrDefault(p.Ref) is not Clip) is { } part)
                throw Broken($"the recipe '{recipe.Id}' uses '{part.Ref}', which is no clip of the catalogue.");
        }
        if (questions.FirstOrDefault(q => !byId.ContainsKey(q.Ref)) is { } lost)
            throw Broken($"the question '{lost.Id}' asks about '{lost.Ref}', which is neither a clip nor a recipe.");
        return new(clips, recipes, questions, byId);
    }

    private static FlamingoException Broken(string what) => new(FlamingoErrorKind.Input, "The sound catalogue contradicts itself: " + what);
}
