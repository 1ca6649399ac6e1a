using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.DataSets;

public sealed class TableFileTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Example[] Build(string name, string text, string split = "train")
    {
        _folder.Tones("a.wav", "b.wav", "c.wav", "d.wav");
        var set = _folder.Build(_folder.Text(name, text)).Set;
        return [.. set.Of(split).SelectMany(m => set.Read(m).Items).Select(i => i.Value.Examples[0])];
    }

    [Fact]
    public void Labels_with_splits_and_stretches_are_taken_as_they_stand()
    {
        var examples = Build("clips.csv", "Path;label;split;start;duration\na.wav;dog;train;;\nb.wav;\"the cat; asleep\";train;0.05;0.1\nc.wav;dog;test;;\n");
        Assert.Equal([("dog", 0.0, null), ("the cat; asleep", 0.05, (double?)0.1)], examples.Select(e => (e.Output, e.AudioStart, e.AudioDuration)));
        Assert.Equal(["dog", "the cat; asleep"], examples[0].Choices);
    }

    [Fact]
    public void Captions_and_quotes_over_lines_are_read()
    {
        var examples = Build("clips.csv", "path,caption,split\na.wav,\"A dog, said \"\"Rex\"\",\nbarks.\",train\r\nb.wav,Rain.,train\n");
        Assert.Equal(["A dog, said \"Rex\",\nbarks.", "Rain."], examples.Select(e => e.Output));
    }

    [Fact]
    public void Questions_list_their_choices()
    {
        var examples = Build("clips.jsonl", """
            {"path":"a.wav","question":"What is it?","answer":"dog","choices":["dog","cat"],"type":"what","split":"train"}
            {"path":"b.wav","question":"Is it loud?","answer":"Yes","split":"train"}

            {"path":"c.wav","question":"Who?","answer":"a man","split":"train"}
            """);
        Assert.Equal(
            ["Please answer this question: What is it?\nOPTIONS:\ndog.\ncat.", "Please answer this question: Is it loud?\nOPTIONS:\nyes.\nno.", "Please answer this question: Who?"],
            examples.Select(e => e.Prompt));
        Assert.Equal(["dog,cat", "yes,no", ""], examples.Select(e => string.Join(',', e.Choices)));
        Assert.Equal("what", examples[0].Type);
    }

    [Fact]
    public void Several_labels_are_a_list()
    {
        var examples = Build("clips.jsonl", """{"path":"a.wav","labels":["dog","bark"],"split":"train"}""" + "\n" + """{"path":"b.wav","labels":"rain; wind","split":"train"}""");
        Assert.Equal([("Use a few labels to describe this sound.", "dog, bark"), ("Use a few labels to describe this sound.", "rain, wind")], examples.Select(e => (e.Prompt, e.Output)));
        Assert.Equal(["rain", "wind"], examples[1].Labels);
    }

    [Theory]
    [InlineData("path,label\na.wav,dog\nb.wav,\n", "line 3: there is nothing to learn; expected one of the columns label, labels, caption, or question and answer, but found path, label.")]
    [InlineData("path,label\n,dog\n", "line 2, column 'path': is empty; every row needs it.")]
    [InlineData("path,question,answer\na.wav,What?,\n", "line 2, column 'answer': is empty, but 'question' is not; give both.")]
    [InlineData("path,question,answer,choices\na.wav,What?,owl,cat|dog\n", "line 2, column 'answer': is 'owl', which is none of the choices cat, dog.")]
    [InlineData("path,label,start\na.wav,dog,soon\n", "line 2, column 'start': is 'soon'; expected seconds, 0 or more.")]
    [InlineData("path,label,split\na.wav,dog,a/b\n", "line 2, column 'split': is 'a/b'; expected train, val, test or another word.")]
    [InlineData("path,label\na.wav,dog,cat\n", "line 2: 3 fields, but the header has 2; a text with ',' in it needs quotes.")]
    [InlineData("path,label\na.wav,\"dog\nb.wav,cat\n", "line 2, column 2: a quote is opened and never closed.")]
    [InlineData("path,path\na.wav,b.wav\n", "line 1: the column 'path' occurs twice.")]
    public void A_wrong_cell_is_named_by_line_and_column(string table, string message)
    {
        var e = Assert.Throws<FlamingoException>(() => Build("clips.csv", table));
        Assert.Equal($"'{_folder.PathOf("clips.csv")}' {message}", e.Message);
        Assert.False(Directory.Exists(_folder.Out));
    }

    [Fact]
    public void A_line_that_is_no_object_is_named()
    {
        var e = Assert.Throws<FlamingoException>(() => Build("clips.jsonl", "{\"path\":\"a.wav\",\"label\":\"x\"}\n[1]\n"));
        Assert.StartsWith($"'{_folder.PathOf("clips.jsonl")}' line 2: expected a JSON object, but ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_that_is_not_there_is_named_with_its_line()
    {
        _folder.Tones("a.wav");
        var built = _folder.Build(_folder.Text("clips.csv", "path,label,split\na.wav,x,train\ngone.wav,y,train\n"));
        Assert.Equal(new LeftOutOf($"'{_folder.PathOf("clips.csv")}' line 3: '{_folder.PathOf("gone.wav")}'", "does not exist"), new(built.LeftOut.Single().What, built.LeftOut.Single().Reason));
    }

    private sealed record LeftOutOf(string What, string Reason);
}
