using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.DataSets;

/// <summary>Rendered recipes as WAV files of 16 bits; what is there already is not made again, unless its recipe has changed.</summary>
internal sealed class WaveFolder : ISoundSink
{
    /// <summary>Of all files, in Hz.</summary>
    public const int Rate = 32000;

    private const int HeadBytes = 44;

    private readonly string _folder;
    private readonly Dictionary<string, string> _names;
    private readonly HashSet<string> _made;

    /// <param name="folder">Where the files lie.</param>
    /// <param name="recipes">What may be written. A file's name holds a hash of its recipe.</param>
    public WaveFolder(string folder, IEnumerable<Recipe> recipes)
    {
        _folder = folder;
        _names = recipes.ToDictionary(r => r.Id, NameOf);
        _made = [.. _names.Keys.Where(id => File.Exists(PathOf(id)))];
    }

    /// <inheritdoc/>
    public int Count => _made.Count;

    /// <inheritdoc/>
    public bool Has(string id) => _made.Contains(id);

    /// <summary>The file of a recipe.</summary>
    public string PathOf(string id) => Path.Combine(_folder, _names[id]);

    /// <inheritdoc/>
    public void Append(string id, string split, short[] samples, bool cut)
    {
        Directory.CreateDirectory(_folder);
        AtomicFile.Write(PathOf(id), file =>
        {
            Span<byte> head = stackalloc byte[HeadBytes];
            int bytes = samples.Length * sizeof(short);
            "RIFF"u8.CopyTo(head);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], HeadBytes - 8 + bytes);
            "WAVEfmt "u8.CopyTo(head[8..]);
            BinaryPrimitives.WriteInt32LittleEndian(head[16..], 16);            // bytes of this chunk
            BinaryPrimitives.WriteInt16LittleEndian(head[20..], 1);             // PCM
            BinaryPrimitives.WriteInt16LittleEndian(head[22..], 1);             // channels
            BinaryPrimitives.WriteInt32LittleEndian(head[24..], Rate);
            BinaryPrimitives.WriteInt32LittleEndian(head[28..], Rate * sizeof(short));
            BinaryPrimitives.WriteInt16LittleEndian(head[32..], sizeof(short)); // bytes a frame
            BinaryPrimitives.WriteInt16LittleEndian(head[34..], 8 * sizeof(short));
            "data"u8.CopyTo(head[36..]);
            BinaryPrimitives.WriteInt32LittleEndian(head[40..], bytes);
            file.Write(head);
            file.Write(MemoryMarshal.AsBytes(samples.AsSpan()));
        });
        _made.Add(id);
    }

    private static string NameOf(Recipe recipe)
    {
        string id = string.Concat(recipe.Id.Select(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(recipe, recipe.GetType())));
        return $"{id}-{Convert.ToHexStringLower(hash)[..8]}.wav";
    }
}
