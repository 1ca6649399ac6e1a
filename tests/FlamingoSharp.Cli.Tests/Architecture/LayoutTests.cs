using System.Text.RegularExpressions;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests.Architecture;

/// <summary>The plan of the house: who may use whom, and how long a file may be.</summary>
public sealed partial class LayoutTests
{
    private static readonly string Source = Path.Combine(ReferenceSet.RepositoryRoot, "src");

    [Theory]
    [InlineData("FlamingoSharp")]
    [InlineData("FlamingoSharp.Training", "FlamingoSharp")]
    [InlineData("FlamingoSharp.Cli", "FlamingoSharp.Training")]
    public void Projects_depend_one_way(string project, params string[] allowed)
    {
        string text = File.ReadAllText(Path.Combine(Source, project, $"{project}.csproj"));
        var used = ProjectReference().Matches(text).Select(m => Path.GetFileNameWithoutExtension(m.Groups[1].Value));
        Assert.Equal(allowed, used);
    }

    [Fact]
    public void Every_project_is_known_to_this_plan() =>
        Assert.Equal(
            ["FlamingoSharp", "FlamingoSharp.Cli", "FlamingoSharp.Training"],
            Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));

    // Each room may use those named, and itself; FlamingoException and the public face stand in the root.
    [Theory]
    [InlineData("Runtime")]
    [InlineData("Text")]
    [InlineData("Audio", "Runtime")]
    [InlineData("Weights")]
    [InlineData("Hub", "Runtime", "Weights")]
    [InlineData("Generation", "Text")]
    [InlineData("Encoders", "Audio", "Models", "Runtime", "Weights")]
    [InlineData("Models", "Audio", "Encoders", "Generation", "Runtime", "Text", "Weights")]
    [InlineData("Embeddings", "Audio", "Encoders", "Models", "Runtime", "Text", "Weights")]
    [InlineData("Retrieval", "Audio", "Embeddings", "Encoders", "Models", "Text", "Weights")]
    [InlineData("Explain", "Audio", "Encoders", "Models", "Retrieval", "Weights")]
    public void Rooms_of_the_library_use_only_those_before_them(string room, params string[] allowed)
    {
        string start = $"FlamingoSharp.{room}";
        var used = new HashSet<string>();
        foreach (var method in MethodCalls.MethodsOf(typeof(Flamingo).Assembly).Where(m => m.DeclaringType!.Namespace == start))
        {
            var called = MethodCalls.Of(method).Select(c => c.DeclaringType).OfType<Type>();
            used.UnionWith(called.Where(t => t.Assembly == typeof(Flamingo).Assembly).Select(t => t.Namespace).OfType<string>());
        }
        used.ExceptWith(["FlamingoSharp", start]);
        Assert.Empty(used.Except(allowed.Select(a => $"FlamingoSharp.{a}")));
    }

    [Fact]
    public void No_file_is_longer_than_one_idea()
    {
        var long320 = from file in Directory.GetFiles(Source, "*.cs", SearchOption.AllDirectories)
                      let path = Path.GetRelativePath(Source, file).Replace('\\', '/')
                      where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
                      let lines = File.ReadLines(file).Count()
                      where lines > 320
                      select $"{path}: {lines} lines";
        Assert.Equal([], long320);
    }

    [GeneratedRegex("""<ProjectReference Include="([^"]+)" """)]
    private static partial Regex ProjectReference();
}
