using System.Net;

namespace FlamingoSharp.Hub;

/// <summary>What a hub's refusal means, and what to do about it.</summary>
internal static class HubRefusal
{
    /// <summary>The error of an answer that is no success.</summary>
    /// <param name="response">The answer; its headers say more than its status.</param>
    /// <param name="model">What was asked about.</param> <param name="options">Who asked.</param>
    /// <param name="file">The file that was asked for; null for the repository itself.</param>
    public static FlamingoException Of(HttpResponseMessage response, HubModelId model, HubOptions options, string? file)
    {
        string host = options.Endpoint.Host, code = Header(response, "X-Error-Code") ?? "", what = file is null ? $"'{model}'" : $"'{file}' of '{model}'";
        bool token = options.Token is not null;
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when code == "GatedRepo":
                string page = $"{options.Endpoint.ToString().TrimEnd('/')}/{model.Repository}";
                return Error(token
                    ? $"'{model}' is gated and {host} does not admit the account of this token; accept its conditions at {page}, or use the token of an account that has."
                    : $"'{model}' is gated: accept its conditions at {page}, then set HF_TOKEN to a token of that account.");
            case HttpStatusCode.Unauthorized when !token:
                return Error($"{host} shows no {what} to strangers: check the name, or set HF_TOKEN if it is private.");
            case HttpStatusCode.Unauthorized:
                return Error($"{host} shows no {what} to the owner of this token: check the name, and whether the token (HF_TOKEN, or {HubOptions.TokenPath}) is still valid.");
            case HttpStatusCode.Forbidden:
                string said = Header(response, "X-Error-Message") is { } message ? $" (\"{HubText.Line(message).TrimEnd('.')}\")" : "";
                return Error($"{host} forbids reading {what}{said}; {(token ? "use a token that may read it" : "set HF_TOKEN to a token that may read it")}.");
            case HttpStatusCode.NotFound when code == "RevisionNotFound":
                return Error($"'{model.Repository}' has no revision '{model.Revision}' at {host}; check the branch, tag or commit.");
            case HttpStatusCode.NotFound when file is not null:
                return Error($"{host} lists {what} but does not have it; pull again later, or leave it out with --exclude.");
            case HttpStatusCode.NotFound:
                return Error($"There is no {what} at {host}; check the name{(token ? "" : ", or set HF_TOKEN if it is private")}.");
            case HttpStatusCode.TooManyRequests:
                var pause = Pause(response);
                string wait = pause is { } p ? $" and asks to be left alone for {p.TotalSeconds:0} s" : "";
                return new PassingHubException($"{host} has had too many requests (429){wait}{(token ? "" : "; a token (HF_TOKEN) may raise the limit")}.", pause);
            case HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError:
                return new PassingHubException($"{host} cannot answer at the moment ({(int)response.StatusCode} {response.ReasonPhrase}).", Pause(response));
            default:
                return Error($"{host} answers {(int)response.StatusCode} {HubText.Line(response.ReasonPhrase ?? "")} when asked for {what}; it may be no Hugging Face-compatible hub (HF_ENDPOINT).");
        }
    }

    /// <summary>The first value of a header; null where there is none.</summary>
    public static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static TimeSpan? Pause(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter;
        var pause = asked?.Delta ?? (asked?.Date is { } date ? date - DateTimeOffset.UtcNow : null);
        return pause < TimeSpan.Zero ? TimeSpan.Zero : pause;
    }

    private static FlamingoException Error(string message) => new(FlamingoErrorKind.Model, message);
}
