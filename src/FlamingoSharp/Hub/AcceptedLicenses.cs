using System.Text.Json;
using FlamingoSharp.Runtime;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Hub;

/// <summary>The licences that this user has accepted: a file for each repository.</summary>
internal sealed class AcceptedLicenses(string folder)
{
    /// <summary>True if this very licence was accepted before.</summary>
    public bool Contains(HubLicense license)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(PathOf(license)));
            return json.RootElement.GetProperty("digest").GetString() == license.Digest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false; // none, or none that can be read: it is asked again
        }
    }

    /// <summary>Remembers a licence.</summary>
    /// <exception cref="FlamingoException">The user's folder cannot be written.</exception>
    public void Add(HubLicense license)
    {
        string path = PathOf(license);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(path, file =>
            {
                using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true, NewLine = "\n" });
                json.WriteStartObject();
                json.WriteString("repository", license.Repository);
                json.WriteString("license", license.Name);
                json.WriteString("link", license.Link);
                json.WriteString("digest", license.Digest);
                json.WriteString("accepted", DateTimeOffset.UtcNow);
                json.WriteEndObject();
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"That the licence was accepted cannot be written to '{path}': {e.Message.TrimEnd('.')}; {UserFolders.HomeVariable} names another folder.", e);
        }
    }

    private string PathOf(HubLicense license) =>
        Path.Combine(folder, license.Repository.Replace("/", "--", StringComparison.Ordinal) + ".json");
}
