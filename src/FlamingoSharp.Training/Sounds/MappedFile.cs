using System.IO.MemoryMappedFiles;

namespace FlamingoSharp.Training.Sounds;

/// <summary>A read-only file in memory's address space: pages come in as they are touched.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private readonly long _length;

    public MappedFile(string path)
    {
        _length = new FileInfo(path).Length;
        if (_length == 0)
            return; // an empty file cannot be mapped
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, _length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Items of the file; valid until this is disposed.</summary>
    public ReadOnlySpan<T> Read<T>(long firstItem, int count) where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstItem);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((firstItem + count) * sizeof(T), _length);
        return new(_start + firstItem * sizeof(T), count);
    }

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
    }
}
