using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Hub;

/// <summary>Ways in which a storage misbehaves.</summary>
internal static class Testing
{
    /// <summary>Sends a file in small pieces; null for other requests.</summary>
    public static FakeResponse? Slowly(FakeHub hub, FakeRequest request, string file, int bytesAtOnce) =>
        hub.IsFor(request, file) ? FakeHub.Serve(request, hub.Files[file], "\"stored-1\"") with { Slow = bytesAtOnce } : null;
}
