using FlamingoSharp.Generation;

namespace FlamingoSharp.Tests.Generation;

public sealed class StreamingTests
{
    private static readonly GenerationOptions Options = new() { StopTokens = [2], MaxNewTokens = 12 };
    private static readonly int[][] Prompts = [[1, 10], [1, 11, 12]];

    [Fact]
    public async Task Streams_the_tokens_that_a_plain_run_gives()
    {
        var model = ScriptedSession.Hashed(17);
        var expected = TokenGenerator.Run(new ScriptedSession(Prompts, model), Prompts, Options);
        var session = new ScriptedSession(Prompts, model);
        var tokens = await TokenGenerator.StreamAsync(_ => session, Prompts, Options).ToListAsync(TestContext.Current.CancellationToken);
        for (int prompt = 0; prompt < Prompts.Length; prompt++)
        {
            Assert.Equal(expected.Sequences[prompt].GeneratedIds, tokens.Where(t => t.Prompt == prompt).Select(t => t.Id));
            Assert.Equal(expected.Sequences[prompt].Finish, tokens.Last(t => t.Prompt == prompt).Finish);
        }
        Assert.True(session.Disposed);
    }

    [Fact]
    public async Task Streams_the_winner_of_a_beam_search_at_its_end()
    {
        var beams = Options with { NumBeams = 3 };
        var model = ScriptedSession.Hashed(17);
        var expected = TokenGenerator.Run(new ScriptedSession(Prompts, model), Prompts, beams);
        var tokens = await TokenGenerator.StreamAsync(_ => new ScriptedSession(Prompts, model), Prompts, beams).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected.Sequences.SelectMany(s => s.GeneratedIds), tokens.Select(t => t.Id));
        Assert.Equal(2, tokens.Count(t => t.Finish is not null));
    }

    [Fact]
    public async Task Leaving_early_stops_the_model()
    {
        using var leave = new ManualResetEventSlim();
        var session = new ScriptedSession([[1]], ScriptedSession.Hashed(17)) { BeforeStep = n => { if (n == 3) leave.Wait(); } };
        await foreach (var token in TokenGenerator.StreamAsync(_ => session, [[1]], Options with { StopTokens = [], MaxNewTokens = 1000 }))
        {
            if (token.Index < 2)
                continue;
            leave.Set();
            break;
        }
        Assert.True(session.Disposed);
        Assert.InRange(session.StepRows.Count, 3, 999);
    }

    [Fact]
    public async Task Cancelling_stops_the_model()
    {
        using var cancel = new CancellationTokenSource();
        var session = new ScriptedSession([[1]], ScriptedSession.Hashed(17)) { BeforeStep = n => { if (n == 3) cancel.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await TokenGenerator.StreamAsync(_ => session, [[1]], Options with { StopTokens = [], MaxNewTokens = 1000 }, cancellation: cancel.Token).CountAsync());
        Assert.True(session.Disposed);
        Assert.Equal(3, session.StepRows.Count);
    }

    [Fact]
    public async Task An_error_of_the_model_reaches_the_reader_after_the_tokens_before_it()
    {
        var session = new ScriptedSession([[1]], history => history.Count == 3 ? [float.NaN, 0] : [0, 1]);
        var seen = new List<int>();
        var error = await Assert.ThrowsAsync<FlamingoException>(async () =>
        {
            await foreach (var token in TokenGenerator.StreamAsync(_ => session, [[1]], Options))
                seen.Add(token.Id);
        });
        Assert.Equal(FlamingoErrorKind.Model, error.Kind);
        Assert.Equal([1, 1], seen);
        Assert.True(session.Disposed);
    }

    [Fact]
    public async Task The_model_runs_on_one_thread_of_its_own()
    {
        var threads = new HashSet<int>();
        int own = Environment.CurrentManagedThreadId;
        await TokenGenerator.StreamAsync(
            _ =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                return new ScriptedSession([[1]], ScriptedSession.Hashed(17)) { BeforeStep = _ => threads.Add(Environment.CurrentManagedThreadId) };
            },
            [[1]], Options with { StopTokens = [] }).CountAsync(TestContext.Current.CancellationToken);
        Assert.Single(threads);
        Assert.DoesNotContain(own, threads);
    }
}
