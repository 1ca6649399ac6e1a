namespace FlamingoSharp.Training.Sounds;

/// <summary>First line of a store's index: what all its entries have in common.</summary>
internal sealed record StoreHeader(string Format, int Version, string Settings);

/// <summary>One sound of a store.</summary>
/// <param name="Id">The clip's, recipe's or demo file's name.</param>
/// <param name="Split">train, val, test or demo.</param>
/// <param name="Offset">Where it starts in the packed file, in items (samples or windows).</param>
/// <param name="Count">How many items it has.</param>
/// <param name="Cut">True where the sound went on beyond what was kept.</param>
internal sealed record StoreLine(string Id, string Split, long Offset, int Count, bool Cut);
