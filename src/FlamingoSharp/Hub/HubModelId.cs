using System.Text.RegularExpressions;

namespace FlamingoSharp.Hub;

/// <summary>A model of a hub: its repository, and which state of it.</summary>
public sealed partial record HubModelId
{
    /// <summary>The revision when none is named.</summary>
    public const string Main = "main";

    private HubModelId(string repository, string revision) => (Repository, Revision) = (repository, revision);

    /// <summary><c>org/name</c>.</summary>
    public string Repository { get; }

    /// <summary>A branch, a tag or a commit.</summary>
    public string Revision { get; }

    /// <summary>The repository's folder in the cache.</summary>
    internal string FolderName => "models--" + Repository.Replace("/", "--", StringComparison.Ordinal);

    /// <summary>True where the revision is a commit's full hash.</summary>
    internal bool IsCommit => Commit().IsMatch(Revision);

    /// <summary>Reads <c>org/name</c> or <c>org/name@revision</c>.</summary>
    /// <param name="text">What is read.</param> <param name="revision">The revision, if the text names none; null is <see cref="Main"/>.</param>
    /// <exception cref="FlamingoException">The text is no such name, or names another revision.</exception>
    public static HubModelId Parse(string text, string? revision = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        int at = text.IndexOf('@', StringComparison.Ordinal);
        string repository = at < 0 ? text : text[..at];
        string? named = at < 0 ? revision : text[(at + 1)..];
        if (!Repositories().IsMatch(repository) || repository.Contains("--", StringComparison.Ordinal) || repository.Contains("..", StringComparison.Ordinal))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{repository}' is no model of a hub; expected ORG/NAME or ORG/NAME@REVISION.");
        if (revision is not null && named != revision)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{text}' names the revision '{named}', but '{revision}' is asked for too; name one.");
        named ??= Main;
        return HubPath.IsSafe(named) ? new(repository, named)
            : throw new FlamingoException(FlamingoErrorKind.Usage, $"'{named}' is no revision; expected a branch, a tag or a commit.");
    }

    /// <summary>As <see cref="Parse"/>; null where the text cannot name a model.</summary>
    public static HubModelId? TryParse(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (FlamingoException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Revision == Main ? Repository : $"{Repository}@{Revision}";

    /// <summary>True for a commit's full hash.</summary>
    internal static bool IsCommitHash(string? text) => text is not null && Commit().IsMatch(text);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}\z")]
    private static partial Regex Repositories();

    [GeneratedRegex(@"^[0-9a-f]{40}\z")]
    private static partial Regex Commit();
}
