using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FlamingoSharp.Models;

/// <summary>Reads the config.json of a model.</summary>
internal static class ConfigJson
{
    /// <summary>Reads.</summary>
    /// <param name="path">The file.</param> <param name="form">Its form.</param> <param name="what">What it must be, with its article.</param>
    /// <exception cref="FlamingoException">The file is missing, or is not JSON of this form.</exception>
    public static T Load<T>(string path, JsonTypeInfo<T> form, string what)
        where T : class
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize(stream, form) ?? throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' holds no configuration.");
        }
        catch (JsonException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' is not {what}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' cannot be read: {e.Message}", e);
        }
    }
}
