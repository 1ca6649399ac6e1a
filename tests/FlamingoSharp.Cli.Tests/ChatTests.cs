using System.Diagnostics;
using System.Text.Json;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Tests;

/// <summary>The conversation, over standard input.</summary>
[Collection(WithTinyModel.Name)]
public sealed class ChatTests(TinyModel model)
{
    private static string[] Prompts(ProcessOutcome outcome) =>
        [.. outcome.Lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("prompt").GetString()!)];

    [Fact]
    public void Every_turn_is_told_the_turns_before_it_until_they_are_cleared()
    {
        var outcome = model.Talk("Hello?\nAnd then?\n\n/clear\nAgain?\n/quit\nNot read.\n", "chat", "a.wav", "--json", "--show-prompt");
        Assert.Equal(0, outcome.ExitCode);
        var turns = outcome.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        string? first = turns[0].GetProperty("text").GetString();
        string Shown(params DialogueRound[] rounds) => DialogueFormat.Af1Inference.Render(rounds).Show(model.Tokenizer);
        Assert.Equal(
            [Shown(new DialogueRound("Hello?")), Shown(new("Hello?", first), new("And then?")), Shown(new DialogueRound("Again?"))],
            Prompts(outcome));
    }

    [Fact]
    public void A_conversation_may_be_about_no_sound_at_all()
    {
        var outcome = model.Talk("Hello?\n", "chat", "--json", "--show-prompt");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal([DialogueFormat.Af1Inference.Render([new DialogueRound("Hello?")], sounds: 0).Show(model.Tokenizer)], Prompts(outcome));
    }

    [Fact]
    public void Commands_are_explained_and_a_conversation_that_no_longer_fits_stays_open()
    {
        string tooLong = string.Concat(Enumerable.Repeat("word ", 600));
        var outcome = model.Talk($"/help\n/foo\n{tooLong}\nShort?\n", "chat", "a.wav");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Single(outcome.Lines);
        Assert.Contains("Type a question. /clear forgets", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("note: There is no command /foo.", outcome.Error, StringComparison.Ordinal);
        Assert.Matches(@"error: The prompt has \d+ tokens but this model has room for 512\.", outcome.Error);
    }

    [Fact]
    public async Task An_answer_comes_before_the_next_question_is_typed_and_an_interrupt_ends_it()
    {
        using var process = ProcessRunner.Start(model.Sounds, null, ["chat", "a.wav", "--model", model.Folder, "--max-tokens", "4", "--json"]);
        await process.StandardInput.WriteLineAsync("Hello?");
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        string? answer = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("Hello?", JsonDocument.Parse(answer!).RootElement.GetProperty("user").GetString());
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill");
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        var outcome = ProcessRunner.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        Assert.Equal((130, ""), (outcome.ExitCode, outcome.Output));
        Assert.EndsWith("error: cancelled.\n", outcome.Error, StringComparison.Ordinal);
    }
}
