namespace FlamingoSharp.Generation;

/// <summary>What counts as the length of a beam-search hypothesis when its score is divided by length^penalty.</summary>
/// <remarks>The two published models pin different versions of transformers, which disagree; scores and even the winner can differ.</remarks>
public enum BeamLengthRule
{
    /// <summary>Prompt and generated tokens, without the stop token: Audio Flamingo 1 (transformers 4.27).</summary>
    PromptAndGenerated,

    /// <summary>Generated tokens only, the stop token included: Audio Flamingo 2 (transformers 4.46).</summary>
    GeneratedWithStop,
}
