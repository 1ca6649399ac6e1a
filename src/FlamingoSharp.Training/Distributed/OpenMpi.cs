using System.Runtime.InteropServices;
using System.Text;

namespace FlamingoSharp.Training.Distributed;

/// <summary>Open MPI's library: the few calls that are used, each checked. All of them are for the thread that made it.</summary>
/// <remarks>
/// Open MPI's constants (<c>MPI_COMM_WORLD</c>, <c>MPI_FLOAT</c>, …) are addresses of symbols that the library exports; versions 3 to 5 share
/// the interface of <c>libmpi.so.40</c>. Its plugins look for symbols among the global ones, where .NET does not load libraries.
/// </remarks>
internal sealed unsafe partial class OpenMpi
{
    private const string File = "libmpi.so.40";
    private const int Now = 2, Global = 0x100; // RTLD_NOW, RTLD_GLOBAL
    private const int Funneled = 1; // MPI_THREAD_FUNNELED
    private const int LongestError = 256;

    private static readonly nint s_inPlace = 1; // MPI_IN_PLACE

    private readonly nint _world;
    private readonly delegate* unmanaged<nint, nint, int, int*, int> _initThread;
    private readonly delegate* unmanaged<nint, nint, int> _setErrorHandler;
    private readonly delegate* unmanaged<nint, int*, int> _rank, _size;
    private readonly delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int> _allReduce;
    private readonly delegate* unmanaged<nint, int, nint, int, nint, nint*, int> _broadcast;
    private readonly delegate* unmanaged<nint, nint*, int> _barrier;
    private readonly delegate* unmanaged<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged<int> _finalize;
    private readonly delegate* unmanaged<int, byte*, int*, int> _errorString;
    private readonly nint _float, _double, _byte, _sum, _errorsReturn;

    private OpenMpi(nint library)
    {
        nint Symbol(string name) => NativeLibrary.GetExport(library, name);
        (_world, _float, _double) = (Symbol("ompi_mpi_comm_world"), Symbol("ompi_mpi_float"), Symbol("ompi_mpi_double"));
        (_byte, _sum, _errorsReturn) = (Symbol("ompi_mpi_byte"), Symbol("ompi_mpi_op_sum"), Symbol("ompi_mpi_errors_return"));
        _initThread = (delegate* unmanaged<nint, nint, int, int*, int>)Symbol("MPI_Init_thread");
        _setErrorHandler = (delegate* unmanaged<nint, nint, int>)Symbol("MPI_Comm_set_errhandler");
        _rank = (delegate* unmanaged<nint, int*, int>)Symbol("MPI_Comm_rank");
        _size = (delegate* unmanaged<nint, int*, int>)Symbol("MPI_Comm_size");
        _allReduce = (delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int>)Symbol("MPI_Iallreduce");
        _broadcast = (delegate* unmanaged<nint, int, nint, int, nint, nint*, int>)Symbol("MPI_Ibcast");
        _barrier = (delegate* unmanaged<nint, nint*, int>)Symbol("MPI_Ibarrier");
        _test = (delegate* unmanaged<nint*, int*, nint, int>)Symbol("MPI_Test");
        _finalize = (delegate* unmanaged<int>)Symbol("MPI_Finalize");
        _errorString = (delegate* unmanaged<int, byte*, int*, int>)Symbol("MPI_Error_string");
    }

    /// <summary>Loads the library and joins the other processes of the run; once in a process.</summary>
    /// <exception cref="FlamingoException">The library is not there, is no Open MPI, or cannot start.</exception>
    public static OpenMpi Start()
    {
        nint library = Open(File, Now | Global);
        if (library == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Device,
                $"This process was started by mpirun but Open MPI's library cannot be loaded: {Marshal.PtrToStringUTF8(LastError())?.TrimEnd('.')}. Install it (Debian: openmpi-bin), or start without mpirun.");
        }
        OpenMpi mpi;
        try
        {
            mpi = new OpenMpi(library);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Device, $"'{File}' is no Open MPI of versions 3 to 5: {e.Message.TrimEnd('.')}.", e);
        }
        int provided;
        mpi.Check(mpi._initThread(0, 0, Funneled, &provided), "MPI_Init_thread");
        mpi.Check(mpi._setErrorHandler(mpi._world, mpi._errorsReturn), "MPI_Comm_set_errhandler"); // the default ends the process
        return mpi;
    }

    /// <summary>Number of this process.</summary>
    public int Rank()
    {
        int rank;
        Check(_rank(_world, &rank), "MPI_Comm_rank");
        return rank;
    }

    /// <summary>Number of processes.</summary>
    public int Size()
    {
        int size;
        Check(_size(_world, &size), "MPI_Comm_size");
        return size;
    }

    /// <summary>Begins to add up numbers in place.</summary>
    /// <returns>The request.</returns>
    public nint AllReduceFloats(nint values, int count) => AllReduce(values, count, _float);

    /// <inheritdoc cref="AllReduceFloats"/>
    public nint AllReduceDoubles(nint values, int count) => AllReduce(values, count, _double);

    /// <summary>Begins to copy a process's bytes to the others.</summary>
    /// <returns>The request.</returns>
    public nint Broadcast(nint bytes, int count, int root)
    {
        nint request;
        Check(_broadcast(bytes, count, _byte, root, _world, &request), "MPI_Ibcast");
        return request;
    }

    /// <summary>Begins to wait for all.</summary>
    /// <returns>The request.</returns>
    public nint Barrier()
    {
        nint request;
        Check(_barrier(_world, &request), "MPI_Ibarrier");
        return request;
    }

    /// <summary>Moves all that is under way on, and says whether a request is done; then it is gone.</summary>
    public bool Test(ref nint request)
    {
        int done;
        fixed (nint* at = &request)
            Check(_test(at, &done, 0), "MPI_Test");
        return done != 0;
    }

    /// <summary>Leaves the run in order; all processes do so together.</summary>
    public void Leave() => Check(_finalize(), "MPI_Finalize");

    private nint AllReduce(nint values, int count, nint type)
    {
        nint request;
        Check(_allReduce(s_inPlace, values, count, type, _sum, _world, &request), "MPI_Iallreduce");
        return request;
    }

    private void Check(int code, string call)
    {
        if (code == 0)
            return;
        byte* text = stackalloc byte[LongestError];
        int length;
        string reason = _errorString(code, text, &length) == 0 ? Encoding.UTF8.GetString(text, length) : $"error {code}";
        throw new FlamingoException(FlamingoErrorKind.Device, $"The processes of this run cannot talk to each other: {call} failed with {reason.TrimEnd('.')}.");
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string name, int flags);

    [LibraryImport("libc", EntryPoint = "dlerror")]
    private static partial nint LastError();
}
