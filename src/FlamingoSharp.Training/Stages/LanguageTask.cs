using System.Globalization;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Weights;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Training.Stages;

/// <summary>
/// The stages in which a language model learns to hear: pretraining, supervised fine-tuning, dialogues, a user's own data; Audio Flamingo 1
/// and 2 alike. They differ by their options alone.
/// </summary>
/// <remarks>Shapes: b texts, t tokens, w windows of a text, r distinct windows, h vectors a window, c audio width, v vocabulary.</remarks>
internal sealed class LanguageTask : ITrainingTask
{
    private readonly LanguageTaskOptions _options;
    private readonly StageModel _stage;
    private readonly SoundSource _sounds;
    private readonly EpochPlan _plan;
    private readonly TextLayout _texts;
    private readonly SampleComposer _composer;
    private readonly LoraAdapters? _adapters;
    private readonly Tensor? _embeddingRows; // [v, 1], 1 for rows that learn
    private readonly Parameter _embedding;

    /// <summary>Opens the model and the data.</summary>
    /// <exception cref="FlamingoException">One of them cannot be used, or they do not fit each other.</exception>
    public LanguageTask(LanguageTaskOptions options)
    {
        _options = options;
        _stage = StageModel.Open(options);
        try
        {
            var config = _stage.Config;
            CheckCurriculum(config);
            _texts = new TextLayout(_stage.Tokenizer, Math.Min(options.MaxTokens, config.Language.MaxPositions));
            _composer = new SampleComposer(options.Entries, Form(config));
            var blend = new Blend(options.Entries, options.GlobalWeight, options.DataRoot, options.Manifests);
            _plan = new EpochPlan(blend, _composer, _texts.Encode, PathOf, options.BatchSize, options.Views, options.Seed);
            var cache = options.CacheFolder is null ? null : new FeatureCache(options.CacheFolder, options.CacheBytes);
            bool learns = options.Encoder is not null;
            _sounds = new SoundSource(_stage.Encoder, config.Windows, learns, learns || cache is null ? "" : _stage.EncoderHash(), cache, _stage.Device);
            _embedding = Model.named_parameters().Single(p => p.name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).parameter;
            TrainableParameters.Select(
                Model, options.FullLanguageModel && options.Lora is null ? TrainingStage.SupervisedFineTuning : TrainingStage.Pretrain, options.Embeddings);
            _adapters = options.Lora is { } lora ? LoraAdapters.Attach(Model, lora, options.Seed) : null;
            if (options.Encoder is { } tuning)
                _stage.Tune(tuning);
            if (options.ComputeType != ScalarType.Float32)
                _stage.ComputeIn(options.ComputeType, encoderToo: learns);
            Groups = Group();
            _embeddingRows = options.Embeddings == EmbeddingTraining.SoundTokens ? SoundRows() : null;
            Check(blend);
        }
        catch
        {
            _stage.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name => _options.Stage;

    /// <summary>The model in training, its form and tokenizer.</summary>
    public StageModel Stage => _stage;

    /// <summary>Which samples come when.</summary>
    public EpochPlan Plan => _plan;

    /// <summary>The adapters, if the language model has some.</summary>
    public LoraAdapters? Adapters => _adapters;

    /// <inheritdoc/>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Identity => new Dictionary<string, string>
    {
        ["vocabulary"] = $"{_stage.Tokenizer.VocabularySize} tokens",
        ["model"] = $"{_stage.Config.Name} {SoundSource.Key(_stage.Config.ToJson())[..8]}",
        ["mixture"] = $"{_options.Entries.Count} data sets {SoundSource.Key(string.Join('|', _options.Entries.Select((e, i) => $"{e.Name} {e.Weight:R} {e.Augmentation.PrefixProbability:R} {string.Join(',', e.Augmentation.Wordings)}")) + _options.GlobalWeight.ToString("R", CultureInfo.InvariantCulture))[..8]}",
        ["samples of the first epoch"] = _plan.SamplesOf(0).ToString(CultureInfo.InvariantCulture),
        ["batch size"] = _options.BatchSize.ToString(CultureInfo.InvariantCulture),
        ["tokens of a text"] = _options.MaxTokens.ToString(CultureInfo.InvariantCulture),
        ["wording and order"] = $"seed {_options.Seed}, {(_options.AsAsked ? "as asked" : "as the reference trains")}, {_options.Views} views",
        ["products"] = _options.ComputeType.ToString(),
        ["windows"] = string.Join(", ", _options.Curriculum.Select(c => $"{c.Windows} from epoch {c.Epoch}").DefaultIfEmpty($"{_stage.Config.Windows.MaxWindows}")),
    };

    /// <summary>Micro-batches of the first epoch: as many, give or take one, as every epoch has.</summary>
    public long? EpochMicroBatches => _plan.BatchesOf(0);

    private FlamingoModel Model => _stage.Model;

    /// <inheritdoc/>
    public ITrainingBatch Prepare(long index) => Lay(_plan.Batch(index), WindowsIn(_plan.Locate(index).Epoch));

    /// <inheritdoc/>
    public Tensor Loss(ITrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var (_, loss) = Judge((LanguageBatch)batch);
        return loss.Times(_options.LossMultiplier).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void MaskGradients()
    {
        if (_embeddingRows is null || _embedding.grad is not { } gradient)
            return;
        using var quiet = no_grad();
        gradient.mul_(_embeddingRows);
    }

    /// <inheritdoc/>
    public void SetTraining(bool training)
    {
        Model.AudioPart.train(training);
        Model.Language.train(training);
        if (_options.Encoder is null)
            return; // a frozen encoder stays as it is: other threads may be using it
        _stage.Encoder.train(training);
        // Where a part alone learns, the norms of the whole keep the statistics that the rest was trained with.
        foreach (var norm in _options.Encoder.Parts.Count > 0 ? _stage.Encoder.modules().OfType<BatchNorm>() : [])
            norm.eval();
    }

    /// <inheritdoc/>
    public ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        if (_options.Validation.Count == 0)
            return null;
        using var quiet = no_grad();
        var scores = new Dictionary<string, double>();
        double losses = 0, right = 0, samples = 0;
        foreach (var (name, items) in ValidationSamples())
        {
            double own = 0, ownRight = 0;
            int tried = 0;
            foreach (var chunk in items.OrderBy(s => s.Ids.Length).Chunk(_options.BatchSize))
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                using var batch = unreadable.TryRead(() => Lay(chunk, WindowsIn(int.MaxValue)));
                if (batch is null)
                    continue;
                var (logits, loss) = Judge(batch);
                tried += chunk.Length;
                own += loss.item<float>() * chunk.Length;
                ownRight += TextLayout.CountRight(logits, batch.Labels);
            }
            if (tried == 0)
                throw new FlamingoException(FlamingoErrorKind.Input, $"Not one batch of the validation set '{name}' can be read. Restore its sounds, or leave it out of valid_dataset_config.");
            scores[$"loss/{name}"] = own / tried;
            scores[$"answers right/{name}"] = ownRight / tried;
            (losses, right, samples) = (losses + own, right + ownRight, samples + tried);
        }
        scores["answers right"] = right / samples;
        return new ValidationResult(losses / samples, scores);
    }

    /// <inheritdoc/>
    public IWeightSource Weights() => new MergedSource(
        "the model in training",
        _stage.Start.OpenWeights(),
        new LearnedWeights(
            Groups.SelectMany(g => g.Parameters).Where(p => !p.Name.Contains(".lora_", StringComparison.Ordinal)).Select(p => (p.Name, (Tensor)p.Parameter))
                .Concat(Buffers), _adapters?.Merged()));

    /// <summary>Running statistics of an encoder that learns.</summary>
    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers => _options.Encoder is { Parts.Count: 0 }
        ? [.. _stage.Encoder.named_buffers().Where(b => b.name.EndsWith("running_mean", StringComparison.Ordinal) || b.name.EndsWith("running_var", StringComparison.Ordinal)).Select(b => (ModelParts.EncoderPrefix + b.name, b.buffer))]
        : [];

    /// <inheritdoc/>
    public void Dispose()
    {
        _sounds.Dispose();
        _embeddingRows?.Dispose();
        _stage.Dispose();
    }

    /// <summary>Lays samples out.</summary>
    internal LanguageBatch Lay(IReadOnlyList<PlannedSample> samples, int maxWindows)
    {
        using var scope = NewDisposeScope();
        List<SoundFeatures[]> heard = [.. samples.Select(s => s.Sounds.Select(part => _sounds.Hear(part, maxWindows, s.View)).ToArray())];
        var windows = _stage.Config.Windows;
        var (rows, source, valid) = SoundLayout.Of(heard, windows.PadToMaxWindows ? windows.Slots : null, maxWindows, _sounds.Silence);
        var (ids, attend, labels) = _texts.Lay([.. samples.Select(s => s.Ids)]);
        foreach (var tensor in new[] { ids, attend, labels, rows, source, valid })
            tensor.DetachFromDisposeScope();
        return new LanguageBatch(ids, attend, labels, rows, source, valid);
    }

    private (Tensor Logits, Tensor Loss) Judge(LanguageBatch batch)
    {
        var device = _stage.Device;
        long b = batch.Valid.shape[0], w = batch.Valid.shape[1];
        var rows = batch.Rows.to(device);
        if (_options.Encoder is not null)
            rows = _stage.Encoder.ForwardLogMel(rows);                            // [r, h, c]
        if (!_stage.Config.Windows.PadToMaxWindows)
            rows = cat([rows, zeros_like(rows.narrow(0, 0, 1))], 0);              // what fills up is seen by nothing
        var encodings = rows.index_select(0, batch.Source.to(device)).view(b, w, rows.shape[1], rows.shape[2]); // [b, w, h, c]
        var media = Model.Hear(encodings, batch.Valid.to(device));
        var logits = Model.Forward(batch.Ids.to(device), batch.Attend.to(device), media, recompute: _options.Recompute); // [b, t, v]
        var labels = batch.Labels.to(device);
        // Texts that the length limit robbed of every answer have nothing to learn, and no mean.
        return (logits, TextLayout.AnyScored(batch.Labels) ? LanguageLoss.Of(logits, labels) : logits.sum().Times(0));
    }

    private IEnumerable<(string Name, IReadOnlyList<PlannedSample> Items)> ValidationSamples()
    {
        foreach (var (name, wording) in _options.Validation)
        {
            string split = name[(name.LastIndexOf('/') + 1)..];
            var random = new NumpyGenerator(NumpyGenerator.SeedOf(name));
            yield return (name, [.. Blend.Validation(name, _options.DataRoot, _options.Manifests, _options.ValidationLimit)
                .Select(item => new PlannedSample(_texts.Encode(_composer.Validation(item, split, wording, random).Prompt), _plan.SoundsOf(item), 0))]);
        }
    }

    private string PathOf(string name) => Path.Combine(_options.DataRoot, name);

    private PromptFormat? Form(FlamingoConfig config) =>
        _options.AsAsked || config.PromptFormatName == PromptFormat.Af2.Name ? config.Prompts : null;

    private int WindowsIn(int epoch) => _options.Curriculum.Where(c => c.Epoch <= epoch).Select(c => (int?)c.Windows).LastOrDefault()
        ?? (_options.Curriculum.Count > 0 ? _options.Curriculum[0].Windows : _stage.Config.Windows.MaxWindows);

    private List<ParameterGroup> Group()
    {
        var learned = Model.named_parameters().Where(p => p.parameter.requires_grad && !p.name.Contains(".lora_", StringComparison.Ordinal)).ToList();
        var parts = learned.ToLookup(p => ModelParts.Of(p.name));
        var optimization = _options.Optimization;
        return
        [
            .. new ParameterGroup[]
            {
                new("cross-attention", [.. parts[ModelPart.CrossAttention]]) { WeightDecay = optimization.CrossAttentionWeightDecay },
                new("other", [.. learned.Where(p => ModelParts.Of(p.name) is not (ModelPart.CrossAttention or ModelPart.Encoder))]) { WeightDecay = optimization.OtherWeightDecay },
                new("adapters", _adapters?.Parameters ?? []),
                // Clipped on its own, as in Audio Flamingo 2's training.
                new("encoder", [.. parts[ModelPart.Encoder]])
                {
                    WeightDecay = optimization.OtherWeightDecay, LearningRateScale = _options.Encoder?.LearningRateScale ?? 1, ClipSet = "encoder",
                },
            }.Where(g => g.Parameters.Count > 0),
        ];
    }

    private Tensor SoundRows()
    {
        using var scope = NewDisposeScope();
        float[] rows = new float[_embedding.shape[0]];
        rows[_stage.Tokenizer.Special.Audio.Id] = rows[_stage.Tokenizer.Special.EndOfChunk.Id] = 1;
        return tensor(rows, [rows.Length, 1], device: _stage.Device).MoveToOuterDisposeScope().DetachFromDisposeScope();
    }

    private void CheckCurriculum(FlamingoConfig config)
    {
        if (_options.Curriculum.Count > 0 && (config.FewShotMask || config.Windows.PadToMaxWindows))
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                "clap_config.window_curriculum needs a model that takes as many windows as a sound has, as Audio Flamingo 2 does; this one fills every sound up.");
        }
    }

    // One item of every data set is worded, and its sounds looked for, before hours are spent.
    private void Check(Blend blend)
    {
        foreach (var item in blend.Samples(1).Concat(_options.Validation.SelectMany(v => Blend.Validation(v.Name, _options.DataRoot, _options.Manifests, 1))))
        {
            var windows = _stage.Config.Windows;
            if (windows.PadToMaxWindows && item.Examples.Count > windows.Slots)
            {
                throw new FlamingoException(FlamingoErrorKind.Usage,
                    $"A text of '{item.Task}' has {item.Examples.Count} sounds, but the model has room for {windows.Slots}: raise clap_config.max_num_fewshot, or use manifests with fewer shots.");
            }
            foreach (var sound in _plan.SoundsOf(item).Where(s => !File.Exists(s.Path)))
                throw new FlamingoException(FlamingoErrorKind.Input, $"'{item.Task}' refers to the sound '{sound.Path}', which does not exist. Check data_config.data_root; 'flamingo data validate' lists every such file.");
        }
        _ = _plan.Batch(0);
        _ = ValidationSamples().Sum(v => v.Items.Count);
    }
}
