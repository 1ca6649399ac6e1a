using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Training.Tests.DataSets;

public sealed class ValidateDataSetTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private DataSetReport Check(ValidateDataSetOptions? options = null, string? path = null) =>
        ValidateDataSet.Run(path ?? _folder.Out, options ?? new(), cancellation: TestContext.Current.CancellationToken);

    private string Table(params string[] rows) => _folder.Text("clips.csv", "path,label,split\n" + string.Join('\n', rows));

    [Fact]
    public void A_good_set_has_no_faults_and_its_size_is_told()
    {
        _folder.Tones("a.wav", "b.wav", "c.wav");
        _folder.Build(Table("a.wav,x,train", "b.wav,y,train", "c.wav,x,test"));
        var report = Check(new() { NearDuplicates = true });
        Assert.Empty(report.Faults);
        Assert.Equal([("clips-SoundClassification/train", 2, 2), ("clips-SoundClassification/test", 1, 1)], report.Manifests.Select(m => (m.Name, m.Items, m.Sounds)));
        Assert.Equal(0.4 / 60, report.Manifests[0].Minutes, 1e-4);
    }

    [Fact]
    public void Every_fault_of_a_recording_is_found_and_named_with_its_item()
    {
        _folder.Tones("a.wav", "gone.wav", "cut.wav");
        _folder.Tone("silent.wav", 0.2, 300, silentChannel: 0);
        _folder.Tone("click.wav", 0.01, 300);
        File.Copy(_folder.PathOf("a.wav"), _folder.PathOf("copy.wav"));
        File.Copy(_folder.PathOf("a.wav"), _folder.PathOf("leak.wav"));
        _folder.Build(Table("a.wav,x,train", "gone.wav,y,train", "cut.wav,x,train", "silent.wav,x,train", "click.wav,y,train", "copy.wav,x,train", "leak.wav,x,test"));
        File.Delete(_folder.PathOf("gone.wav"));
        File.WriteAllBytes(_folder.PathOf("cut.wav"), File.ReadAllBytes(_folder.PathOf("cut.wav"))[..20]);
        var report = Check();
        Assert.Equal(
            [("1", DataFaultKind.Missing, true), ("2", DataFaultKind.Unreadable, true), ("4", DataFaultKind.TooShort, true), ("3", DataFaultKind.Silent, false), ("5", DataFaultKind.Duplicate, false), ("0", DataFaultKind.Leak, true)],
            report.Faults.Select(f => (f.Item!, f.Kind, f.IsError)));
        Assert.Equal((4, 2), (report.Errors, report.Warnings));
        Assert.Equal($"'{_folder.PathOf("gone.wav")}' does not exist.", report.Faults[0].Message);
        Assert.Equal($"'{_folder.PathOf("click.wav")}' is 0.01 s long; at least 0.05 s are expected.", report.Faults[2].Message);
        Assert.Equal($"'{_folder.PathOf("copy.wav")}' has the same content as '{_folder.PathOf("a.wav")}'.", report.Faults[4].Message);
        Assert.Equal(("clips-SoundClassification/test", $"'{_folder.PathOf("leak.wav")}' has the content of '{_folder.PathOf("a.wav")}' in the split 'train' as well: what is tested would have been learnt."),
            (report.Faults[5].Manifest, report.Faults[5].Message));
    }

    [Fact]
    public void One_file_in_two_splits_leaks_unless_other_parts_of_it_are_meant()
    {
        _folder.Tone("long.wav", 2, 500);
        _folder.Tones("b.wav");
        _folder.Build(_folder.Text("clips.csv", "path,label,split,start,duration\nlong.wav,x,train,0,1\nlong.wav,y,val,1,1\nlong.wav,y,test,0.5,1\nb.wav,y,train,,\n"));
        var fault = Assert.Single(Check().Faults);
        Assert.Equal((DataFaultKind.Leak, "clips-SoundClassification/test"), (fault.Kind, fault.Manifest));
    }

    [Fact]
    public void Nearly_the_same_sound_in_two_splits_is_a_warning_on_request()
    {
        _folder.Tone("a.wav", 0.3, 700);
        byte[] sound = File.ReadAllBytes(_folder.PathOf("a.wav"));
        for (int i = 44; i < sound.Length; i += 2)
            BitConverter.TryWriteBytes(sound.AsSpan(i), (short)(BitConverter.ToInt16(sound, i) / 3));
        File.WriteAllBytes(_folder.PathOf("quiet.wav"), sound);
        _folder.Tones("b.wav");
        _folder.Build(Table("a.wav,x,train", "b.wav,y,train", "quiet.wav,x,test"));
        Assert.Empty(Check().Faults);
        var fault = Assert.Single(Check(new() { NearDuplicates = true }).Faults);
        Assert.Equal((DataFaultKind.NearLeak, "clips-SoundClassification/test", false), (fault.Kind, fault.Manifest, fault.IsError));
    }

    [Theory]
    [InlineData("\"output\": \"x\"", "\"output\": \" \"", DataFaultKind.EmptyText, "The answer ('output') is empty.")]
    [InlineData("\"output\": \"x\"", "\"output\": \"z\"", DataFaultKind.AnswerNotAmongChoices, "The answer 'z' is none of the choices x, y.")]
    [InlineData("\"prompt\": \"Classify this sound.\\nOPTIONS:\\n - x.\\n - y.\"", "\"prompt\": \"\"", DataFaultKind.EmptyText, "The question ('prompt') is empty.")]
    [InlineData("\"total_num\": 2", "\"total_num\": 3", DataFaultKind.Manifest, "It states 3 items but has 2.")]
    public void Faults_of_texts_are_found(string written, string changed, DataFaultKind kind, string message)
    {
        _folder.Tones("a.wav", "b.wav");
        _folder.Build(Table("a.wav,x,train", "b.wav,y,train"));
        string file = Path.Combine(_folder.Out, "clips-SoundClassification", "train.json");
        string text = File.ReadAllText(file);
        Assert.Contains(written, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(written, changed, StringComparison.Ordinal));
        Assert.Equal((kind, message), Check().Faults.Select(f => (f.Kind, f.Message)).First());
    }

    [Fact]
    public void A_label_that_the_task_does_not_have_is_an_error()
    {
        _folder.Tones("a.wav", "b.wav");
        _folder.Build(Table("a.wav,x,train", "b.wav,y,train"));
        string file = Path.Combine(_folder.Out, "clips-SoundClassification", "train.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"x\"", "\"z\"", StringComparison.Ordinal));
        Assert.Equal((DataFaultKind.UnknownLabel, "The answer 'z' is none of the labels x, y."), Check().Faults.Select(f => (f.Kind, f.Message)).Single());
    }

    [Fact]
    public void A_text_that_would_be_cut_off_is_a_warning()
    {
        _folder.Tones("a.wav", "b.wav");
        _folder.Build(_folder.Text("clips.csv", $"path,caption,split\na.wav,Rain.,train\nb.wav,{string.Concat(Enumerable.Repeat("a bell rings and ", 300))},train\n"));
        var mini = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));
        var fault = Assert.Single(Check(new() { Tokenizer = mini }).Faults);
        Assert.Equal((DataFaultKind.TooLong, "1", false), (fault.Kind, fault.Item, fault.IsError));
        Assert.Matches(@"\AThe text has \d{4} tokens; beyond 512 it is cut off, and its answer is not learnt\.\z", fault.Message);
    }

    [Fact]
    public void A_corrupt_manifest_does_not_hide_the_others()
    {
        _folder.Tones("a.wav", "b.wav");
        _folder.Build(Table("a.wav,x,train", "b.wav,y,test"));
        File.WriteAllText(Path.Combine(_folder.Out, "clips-SoundClassification", "train.json"), "{");
        var report = Check();
        Assert.Equal((DataFaultKind.Manifest, "clips-SoundClassification/train"), (Assert.Single(report.Faults).Kind, report.Faults[0].Manifest));
        Assert.Equal("clips-SoundClassification/test", Assert.Single(report.Manifests).Name);
    }

    [Fact]
    public void A_manifest_of_the_reference_is_checked_without_a_set()
    {
        _folder.Tones("data/Set/audio/a.wav");
        string file = _folder.Text("lists/Set-AQA/val.json", $$$$"""
            {"dataset_path":"{{{{_folder.PathOf("data/Set")}}}}","split":"val","split_path":"audio","flamingo_task":"Set-AQA","total_num":2,
             "data":{"0":{"name":"a.wav","prompt":"P","output":"O"},"1":{"name":"b.wav","prompt":"P","output":""}}}
            """);
        foreach (string? root in new[] { null, _folder.PathOf("data") })
        {
            var report = Check(new() { DataRoot = root }, file);
            Assert.Equal([$"'{_folder.PathOf("data/Set/audio/b.wav")}' does not exist.", "The answer ('output') is empty."], report.Faults.Select(f => f.Message));
            Assert.Equal(("Set-AQA/val", 2, 1), (report.Manifests[0].Name, report.Manifests[0].Items, report.Manifests[0].Sounds));
        }
    }

    [Fact]
    public void A_folder_that_is_no_set_is_refused() => Assert.Equal(
        $"'{_folder.Root}' is no data set: it has no set.json; make one with 'flamingo data build'.",
        Assert.Throws<FlamingoException>(() => Check(path: _folder.Root)).Message);
}
