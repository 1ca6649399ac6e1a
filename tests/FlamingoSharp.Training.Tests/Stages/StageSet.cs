using FlamingoSharp.TestKit;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Stages;
using FlamingoSharp.Training.Tests.DataSets;

namespace FlamingoSharp.Training.Tests.Stages;

/// <summary>A tiny model and a data set of tones in three classes.</summary>
public sealed class StageSet : IDisposable
{
    private readonly SetFolder _sounds = new();
    private readonly TinyModel _model1 = new(), _model2 = new(TinyModel.Config2);

    public StageSet() => Set = _sounds.Build(_sounds.Classes(8, "dog", "rain", "car")).Set;

    /// <summary>Set with train, val and test.</summary>
    internal DataSet Set { get; }

    /// <summary>A model of the form of Audio Flamingo 1.</summary>
    public string Model1 => _model1.Folder;

    /// <summary>A model of the form of Audio Flamingo 2.</summary>
    public string Model2 => _model2.Folder;

    /// <summary>A folder of its own.</summary>
    public string NewFolder() => Directory.CreateDirectory(Path.Combine(_sounds.Root, Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>A stage over the set, without dropout where a model's dropout is 0.</summary>
    internal LanguageTaskOptions Options(int system = 1) => new()
    {
        Stage = "sft",
        ModelFolder = system == 1 ? Model1 : Model2,
        Entries = Set.Entries("train"),
        Validation = [.. Set.Of("val").Select(m => new ValidationEntry(m.Name, m.Augmentation))],
        DataRoot = Set.Folder,
        Manifests = Set.Source,
        BatchSize = 4,
        FullLanguageModel = true,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _model1.Dispose();
        _model2.Dispose();
        _sounds.Dispose();
    }
}
