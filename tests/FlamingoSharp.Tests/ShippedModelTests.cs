using System.Text.RegularExpressions;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests;

/// <summary>The model in the box and the sounds beside it, none of which it was trained on: the model card must state what it really does.</summary>
public sealed class ShippedModelTests : IClassFixture<ShippedModelTests.ShippedModel>
{
    // What is heard, per samples/LICENSES.md; any of the words makes a caption right.
    private static readonly Dictionary<string, string[]> Heard = new(StringComparer.Ordinal)
    {
        ["bell"] = ["bell"],
        ["birds"] = ["bird"],
        ["car-accelerating"] = ["car ", "engine", "vehicle"],
        ["car-horn"] = ["horn"],
        ["clock-ticking"] = ["clock", "tick"],
        ["crow"] = ["crow", "raven"],
        ["crowd-cheering"] = ["crowd", "cheer", "applau"],
        ["door-closing"] = ["door"],
        ["drum-roll"] = ["drum", "snare"],
        ["explosion"] = ["explo"],
        ["fireworks"] = ["firework"],
        ["guitar-a-minor"] = ["guitar"],
        ["guitar-em9"] = ["guitar"],
        ["piano"] = ["piano"],
        ["rain"] = ["rain"],
        ["speech-english"] = ["speak", "speech", "voice", "talk", "says"],
        ["speech-italian"] = ["speak", "speech", "voice", "talk", "says"],
        ["speech-russian"] = ["speak", "speech", "voice", "talk", "says"],
        ["tabla-loop"] = ["tabla", "drum", "percussion"],
        ["thunder"] = ["thunder"],
    };

    private static readonly (string Sample, string Question, string Answer)[] Questions =
    [
        ("rain", "Can you hear rain?", "yes"),
        ("rain", "Can you hear a guitar?", "no"),
        ("guitar-a-minor", "Can you hear a guitar?", "yes"),
        ("guitar-a-minor", "Can you hear speech?", "no"),
        ("speech-english", "Can you hear speech?", "yes"),
        ("speech-italian", "Can you hear speech?", "yes"),
        ("speech-russian", "Can you hear music?", "no"),
        ("speech-english", "Can you hear an explosion?", "no"),
        ("thunder", "Can you hear a person speaking?", "no"),
        ("tabla-loop", "Can you hear music?", "yes"),
        ("drum-roll", "Can you hear a drum?", "yes"),
        ("birds", "Can you hear an animal?", "yes"),
        ("explosion", "Can you hear an animal?", "no"),
        ("fireworks", "Can you hear a piano?", "no"),
    ];

    private readonly ShippedModel _shipped;

    public ShippedModelTests(ShippedModel shipped) => _shipped = shipped;

    [Fact]
    public void The_model_card_says_how_many_captions_of_the_shipped_samples_are_right()
    {
        string folder = Path.Combine(ReferenceSet.RepositoryRoot, "samples");
        Assert.Equal(Heard.Keys.Order(StringComparer.Ordinal), Directory.GetFiles(folder, "*.wav").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));
        int right = 0;
        foreach (var (name, words) in Heard)
        {
            string caption = _shipped.Flamingo.Caption(_shipped.Sound(name)).Text;
            bool names = words.Any(w => Regex.IsMatch(caption, $@"\b{w}", RegexOptions.IgnoreCase)); // a drumstick does not tick
            right += names ? 1 : 0;
            TestContext.Current.TestOutputHelper?.WriteLine($"{(names ? "right" : "wrong")}  {name}: {caption}");
        }
        Assert.Equal(Stated($"of {Heard.Count} captions name what is heard"), right);
        Assert.True(2 * right > Heard.Count, $"Only {right} of {Heard.Count} captions are right.");
    }

    [Fact]
    public void The_model_card_says_how_many_simple_questions_about_them_are_answered_rightly()
    {
        int right = 0;
        foreach (var (sample, question, expected) in Questions)
        {
            string answer = _shipped.Flamingo.Ask(_shipped.Sound(sample), question).Text;
            right += answer == expected ? 1 : 0;
            TestContext.Current.TestOutputHelper?.WriteLine($"{(answer == expected ? "right" : "wrong")}  {sample}: {question} {answer}");
        }
        Assert.Equal(Stated($"of {Questions.Length} yes-or-no questions about them are answered rightly"), right);
        Assert.True(2 * right > Questions.Length, $"Only {right} of {Questions.Length} answers are right.");
    }

    [Fact]
    public void The_same_file_twice_gives_the_same_answer()
    {
        string path = Path.Combine(ReferenceSet.RepositoryRoot, "samples", "rain.wav");
        using var first = _shipped.Flamingo.Hear(path);
        using var second = _shipped.Flamingo.Hear(path);
        Assert.Equal(first.Encodings.cpu().bytes.ToArray(), second.Encodings.cpu().bytes.ToArray());
        Assert.Equal(_shipped.Flamingo.Caption(first).Text, _shipped.Flamingo.Caption(second).Text);
    }

    [Fact]
    public void The_model_folder_is_small_enough_to_ship() =>
        Assert.InRange(Directory.GetFiles(ShippedModel.Folder).Sum(f => new FileInfo(f).Length), 1_000_000, 40_000_000);

    // The number in front of a phrase of the model card.
    private static int Stated(string phrase)
    {
        string card = File.ReadAllText(Path.Combine(ShippedModel.Folder, "README.md"));
        int at = card.IndexOf(phrase, StringComparison.Ordinal);
        Assert.True(at > 0, $"The model card does not say '... {phrase}'.");
        return int.Parse(card[..at].Trim().Split().Last(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Loaded once for the class.</summary>
    public sealed class ShippedModel : IDisposable
    {
        private readonly Dictionary<string, Sound> _sounds = [];

        public static string Folder { get; } = Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini");

        public Flamingo Flamingo { get; } = Flamingo.Load(Folder);

        public Sound Sound(string name) => _sounds.TryGetValue(name, out var known)
            ? known
            : _sounds[name] = Flamingo.Hear(Path.Combine(ReferenceSet.RepositoryRoot, "samples", name + ".wav"));

        public void Dispose()
        {
            foreach (var sound in _sounds.Values)
                sound.Dispose();
            Flamingo.Dispose();
        }
    }
}
