using System.Net;
using System.Net.Http.Headers;

namespace FlamingoSharp.Hub;

/// <summary>How the hub is spoken to: one request a call, redirects followed by hand so that the token never leaves the hub's own address.</summary>
internal sealed class HubConnection : IDisposable
{
    private const int MostRedirects = 8;

    private readonly HubOptions _options;
    private readonly HttpClient _client;
    private bool _reached;

    public HubConnection(HubOptions options)
    {
        _options = options;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.Timeout,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // silence is measured, not length
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("FlamingoSharp", typeof(HubConnection).Assembly.GetName().Version?.ToString(3)));
        _client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity")); // lengths and ranges are those of the file
    }

    /// <summary>An address of the hub; the endpoint may have a path of its own.</summary>
    public Uri Address(string path) => new($"{_options.Endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/')}/{path}");

    /// <summary>Sends a request and follows its redirects.</summary>
    /// <param name="method">GET or HEAD.</param> <param name="address">Where to.</param>
    /// <param name="shape">Adds headers.</param>
    /// <param name="leaveHub">False stops at a redirect to another address, and returns that redirect: it has the hub's own headers.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>Any answer but a redirect (unless it leads out of the hub); the caller disposes it.</returns>
    /// <exception cref="PassingHubException">The connection failed, or nothing was heard in time.</exception>
    /// <exception cref="FlamingoException">There is no such host, it is not trusted, its answer is no HTTP, or it redirects in circles.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri address, Action<HttpRequestMessage>? shape, bool leaveHub, CancellationToken cancellation)
    {
        for (int i = 0; i <= MostRedirects; i++)
        {
            var response = await SendOnceAsync(method, address, shape, cancellation).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
                return response;
            if (response.Headers.Location is not { } location)
            {
                response.Dispose();
                throw new FlamingoException(FlamingoErrorKind.Model, $"{address.Host} redirects without saying where to; the hub, or a proxy on the way, is broken.");
            }
            var next = location.IsAbsoluteUri ? location : new Uri(address, location);
            if (!leaveHub && !IsHub(next))
                return response;
            response.Dispose();
            bool downgrade = address.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps;
            if (downgrade || (next.Scheme != Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttp))
                throw new FlamingoException(FlamingoErrorKind.Model, $"{address.Host} redirects to the unprotected address {HubText.Line(next.ToString())}, which is not followed.");
            address = next;
        }
        throw new FlamingoException(FlamingoErrorKind.Model, $"{address.Host} redirects more than {MostRedirects} times; the hub, or a proxy on the way, is broken.");
    }

    /// <summary>Reads some of a body; silence is a failure.</summary>
    /// <exception cref="PassingHubException">The connection broke, or nothing came in time.</exception>
    public async Task<int> ReadAsync(Stream body, Memory<byte> buffer, string host, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(_options.Timeout);
        try
        {
            return await body.ReadAsync(buffer, silence.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new PassingHubException($"The connection to {host} broke off.", inner: e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw Silent(host, e);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendOnceAsync(HttpMethod method, Uri address, Action<HttpRequestMessage>? shape, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, address);
        shape?.Invoke(request);
        if (_options.Token is { } token && IsHub(address))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(_options.Timeout);
        try
        {
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token).ConfigureAwait(false);
            _reached = true;
            return response;
        }
        catch (HttpRequestException e) when (!_reached || e.HttpRequestError is HttpRequestError.SecureConnectionError or HttpRequestError.InvalidResponse)
        {
            // What fails at the first word is a wrong address more often than a bad minute.
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"{address.Host} cannot be reached ({Reason(e)}); check the network, or name another hub with HF_ENDPOINT.", e);
        }
        catch (HttpRequestException e)
        {
            throw new PassingHubException($"The connection to {address.Host} failed ({Reason(e)}).", inner: e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw Silent(address.Host, e);
        }
    }

    private static string Reason(HttpRequestException error) => HubText.Line(error.GetBaseException().Message).TrimEnd('.');

    private PassingHubException Silent(string host, Exception inner) =>
        new($"{host} sent nothing for {_options.Timeout.TotalSeconds:0.#} s.", inner: inner);

    // Scheme, host and port: another port is another server.
    private bool IsHub(Uri address) =>
        Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
}
