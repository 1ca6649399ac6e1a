using System.Text.Json.Nodes;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Generation;

/// <summary>The model and the inputs of a case of kind generate, ready to run its sub-cases.</summary>
internal sealed class DecodingSessions : IDisposable
{
    private readonly ReferenceCase _reference;
    private const string TrainingCode = "train-code-";
    private readonly FlamingoModel _model;
    private readonly List<Media> _media = [];
    private readonly JsonObject _config, _ids;

    private DecodingSessions(ReferenceCase reference, bool trainingCode)
    {
        (_reference, _config, _ids) = (reference, ReferenceModels.Config(reference), ReferenceModels.TokenIds(reference));
        _model = ReferenceModels.Of(reference, trainingCode: trainingCode);
    }

    /// <summary>Builds the model of a case.</summary>
    public static DecodingSessions For(ReferenceCase reference) => new(reference, trainingCode: false);

    /// <summary>Builds the model of a sub-case, which may be that of Audio Flamingo 2's training code.</summary>
    /// <returns>The model, and the sub-case with the prompt and the sounds that it may leave to another: train-code-greedy to greedy.</returns>
    public static (DecodingSessions Sessions, JsonObject Sub) For(ReferenceCase reference, string name)
    {
        var sub = reference.Sub(name);
        bool trainingCode = name.StartsWith(TrainingCode, StringComparison.Ordinal);
        if (trainingCode && !sub.ContainsKey("input_ids"))
        {
            var complete = reference.Sub(name[TrainingCode.Length..]).DeepClone().AsObject();
            foreach (var (key, value) in sub)
                complete[key] = value?.DeepClone();
            sub = complete;
        }
        return (new DecodingSessions(reference, trainingCode), sub);
    }

    /// <summary>Tokens that the model reads at most.</summary>
    public int Context => _model.Language.MaxTokens;

    /// <summary>The pad id, which also fills shorter results.</summary>
    public int PadToken => (int)_ids[_reference.IsAf2 ? "eos" : "pad"]!; // the reference calls generate of the two models so

    /// <summary>What a sub-case passes to generate.</summary>
    public GenerationOptions Options(JsonObject sub)
    {
        var options = new GenerationOptions
        {
            MaxNewTokens = (int)_reference.Json["max_new_tokens"]!,
            StopTokens = [(int)_ids["endofchunk"]!],
            PadToken = PadToken,
            BeamLengthRule = _model.Language.BeamLengthRule,
            ReferenceFewShotBug = true, // the reference always has it, unless it runs without a cache
        };
        foreach (var (name, value) in sub["kwargs"]!.AsObject())
        {
            options = name switch
            {
                "eos_token_id" => options with { StopTokens = [(int)value!] },
                "num_beams" => options with { NumBeams = (int)value! },
                "num_return_sequences" => options with { NumReturnSequences = (int)value! },
                "length_penalty" => options with { LengthPenalty = (double)value! },
                "max_new_tokens" => options with { MaxNewTokens = (int)value! },
                "use_cache" => options with { ReferenceFewShotBug = (bool)value! },
                _ => throw new InvalidDataException($"{_reference.Id}: the argument '{name}' of generate is not known."),
            };
        }
        return options;
    }

    /// <summary>A sub-case's prompts.</summary>
    public static int[][] Prompts(JsonObject sub) =>
        [.. sub["input_ids"]!.AsArray().Select(row => row!.AsArray().Select(id => (int)id!).ToArray())];

    /// <summary>Starts a sub-case as the reference runs it: prompts of one length, padding only where their ids say so.</summary>
    public IDecodingSession Start(JsonObject sub, GenerationOptions options)
    {
        using var scope = NewDisposeScope();
        int[][] prompts = Prompts(sub);
        var ids = tensor(prompts.SelectMany(p => p).Select(id => (long)id).ToArray(), [prompts.Length, prompts[0].Length]);
        bool padded = PadToken != (int)_ids["eos"]! && prompts.Any(p => p.Contains(PadToken));
        return new DecodingSession(_model, ids, padded ? ids.ne(PadToken) : null, Hear([sub]), options.MaxNewTokens, options.ReferenceFewShotBug);
    }

    /// <summary>Starts prompts of any lengths, each with the sounds of a sub-case.</summary>
    /// <param name="subs">Sub-cases of one row each.</param> <param name="prompts">What is asked about the sounds of each.</param>
    /// <param name="options">Limits of the run.</param>
    public IDecodingSession Start(IReadOnlyList<JsonObject> subs, int[][] prompts, GenerationOptions options) =>
        DecodingSession.Start(_model, prompts, PadToken, Hear(subs), options.MaxNewTokens, options.ReferenceFewShotBug);

    /// <inheritdoc/>
    public void Dispose()
    {
        _media.ForEach(m => m.Dispose());
        _model.Dispose();
    }

    /// <summary>
    /// The sounds of sub-cases, one below the other. Each prompt is heard with its own number of windows, since windows of silence
    /// are not masked in the audio transformer of AF1; the filling comes after it and is not seen.
    /// </summary>
    private Media Hear(IReadOnlyList<JsonObject> subs)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        Media[] heard = [.. subs.Select(Hear)];
        long longest = heard.Max(m => m.Valid.shape[1]);
        var vectors = cat([.. heard.Select(m => nn.functional.pad(m.Vectors, [0, 0, 0, longest - m.Valid.shape[1]]))], 0);
        var valid = cat([.. heard.Select(m => nn.functional.pad(m.Valid.to_type(ScalarType.Int64), [0, longest - m.Valid.shape[1]]))], 0).ne(0);
        var media = new Media(vectors, valid, _model.Language.ProjectMedia(vectors)).Detach();
        _media.Add(media);
        return media;
    }

    private Media Hear(JsonObject sub)
    {
        // [b, w, c] or [b, w, h, c]; cases that only raise an exception leave their audio to us.
        int windowsPerSound = (int)_config["max_window_per_audio"]!;
        var sound = sub["audio_embeds"] is { } text
            ? Synth.Parse((string)text!, _reference.Set.Salt)[0]
            : ones(Prompts(sub).Length, windowsPerSound, (int)_config[_reference.IsAf2 ? "clap_embed_dim" : "audio_embed_dim"]!);
        var valid = (sub["valid_windows_per_audio"], sub["valid_windows"]) switch
        {
            ({ } perSound, _) => ReferenceModels.ValidWindows(perSound, windowsPerSound, (int)sound.shape[1]),
            (_, JsonArray perRow) => ReferenceModels.ValidWindows(
                new JsonArray([.. perRow.Select(n => new JsonArray(n!.DeepClone()))]), (int)sound.shape[1], (int)sound.shape[1]),
            _ => ones(sound.shape[0], sound.shape[1], ScalarType.Bool),
        };
        return _model.Hear(sound.dim() == 3 ? sound.unsqueeze(2) : sound, valid);
    }
}
