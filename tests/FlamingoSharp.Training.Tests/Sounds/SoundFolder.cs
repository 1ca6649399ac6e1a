using System.Buffers.Binary;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

/// <summary>A small data set in a temporary folder: recorded clips of noise bursts and tones, recipes of every kind, questions.</summary>
internal sealed class SoundFolder : IDisposable
{
    private const int Rate = 16000;

    public SoundFolder()
    {
        Root = Directory.CreateTempSubdirectory("flamingo-test-").FullName;
        Directory.CreateDirectory(Audio);
        Directory.CreateDirectory(Data);
        foreach (var (name, seconds, hertz) in new[] { ("dog", 0.3, 300.0), ("bell", 0.5, 900.0), ("wind", 2.0, 150.0), ("long", 12.0, 440.0) })
            WriteTone(Path.Combine(Audio, "pack", name + ".wav"), seconds, hertz);
        WriteLines("catalogue.jsonl", """
            {"id":"dog_1","package":"pack","path":"dog.wav","duration_s":0.3,"labels":["dog","dog bark","animal"],"caption":"A dog barks.","group":"g1","domain":"sound","label_quality":"strong","concept":"dog","split":"train","unknown_field":[1,2]}
            {"id":"bell_1","package":"pack","path":"bell.wav","duration_s":0.5,"labels":["bell","metal"],"caption":"A bell rings.","group":"g2","domain":"sound","label_quality":"strong","concept":"bell","split":"train"}
            {"id":"wind_1","package":"pack","path":"wind.wav","duration_s":2,"labels":["wind","weather"],"caption":"Wind blows.","group":"g3","domain":"sound","label_quality":"weak","concept":"wind","start_s":0.5,"use_s":1.0,"split":"train"}
            {"id":"long_1","package":"pack","path":"long.wav","duration_s":12,"labels":["speech","Dutch","language:Dutch"],"caption":"A man says \"hallo\" in Dutch.","group":"g4","domain":"speech","label_quality":"medium","speaker":"s","split":"val"}
            """);
        WriteLines("synthesis.jsonl", """
            {"id":"rep","kind":"compose","op":"repeat","parts":[{"ref":"dog_1","start_s":0},{"ref":"dog_1","start_s":1},{"ref":"dog_1","start_s":2}],"count":3,"count_of":"a dog barking","concepts":["dog"],"duration_s":2.3,"labels":["dog","animal","count:3"],"caption":"A dog barking, repeated so that it is heard three times.","group":"r","domain":"sound","split":"train"}
            {"id":"seq","kind":"compose","op":"sequence","parts":[{"ref":"dog_1","start_s":0},{"ref":"bell_1","start_s":1}],"order_of":["a dog barking","a bell"],"concepts":["dog","bell"],"duration_s":1.5,"labels":["animal","bell","dog","metal"],"caption":"A dog barking followed by a bell.","group":"s","domain":"sound","split":"train"}
            {"id":"mix","kind":"compose","op":"mix","parts":[{"ref":"wind_1","start_s":0,"gain_db":-10,"offset_s":0.5,"loop":true,"dur_s":4},{"ref":"bell_1","start_s":2,"gain_db":0}],"foreground":"a bell","background":"wind","concepts":["bell","wind"],"duration_s":4,"labels":["bell","metal","weather","wind"],"caption":"A bell with wind in the background.","group":"m","domain":"sound","split":"train"}
            {"id":"beeps","kind":"sox","synth":{"wave":"sine","freq_hz":1000,"gain_db":-8,"pattern":[0.2,0.25,0.2]},"count":2,"duration_s":0.65,"labels":["beep","count:2"],"caption":"Two beeps.","group":"b","domain":"sound","split":"train"}
            {"id":"quiet","kind":"sox","synth":{"wave":"silence"},"duration_s":1,"labels":["silence"],"caption":"Silence.","group":"q","domain":"sound","split":"train"}
            """);
        WriteLines("qa.jsonl", """
            {"id":"q1","ref":"dog_1","type":"sound_class","question":"What sound is this?","answer":"dog","choices":["dog","bell","wind"],"split":"train"}
            {"id":"q2","ref":"bell_1","type":"sound_class","question":"What sound is this?","answer":"bell","choices":["bell","dog","Wind"],"split":"train"}
            {"id":"q3","ref":"rep","type":"count","question":"How many times do you hear a dog barking?","answer":"3","split":"train"}
            {"id":"q4","ref":"dog_1","type":"presence","question":"Can you hear a vehicle?","answer":"No","split":"train"}
            {"id":"q5","ref":"long_1","type":"transcript","question":"What is said?","answer":"hallo","split":"val"}
            """);
    }

    public string Root { get; }

    public string Data => Path.Combine(Root, "data");

    public string Audio => Path.Combine(Root, "audio");

    public RenderSoundsOptions Options(string output) =>
        new() { DataFolder = Data, AudioFolder = Audio, OutputFolder = Path.Combine(Root, output), Workers = 2 };

    public void WriteLines(string name, string lines) => File.WriteAllText(Path.Combine(Data, name), lines + "\n");

    public void AppendLine(string name, string line) => File.AppendAllText(Path.Combine(Data, name), line + "\n");

    /// <summary>Writes a decaying tone as 16-bit WAV.</summary>
    public static void WriteTone(string path, double seconds, double hertz, int channels = 1, int silentChannel = -1)
    {
        int count = (int)(seconds * Rate);
        byte[] file = new byte[44 + (2 * channels * count)];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(22), (short)channels);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), Rate);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(28), Rate * 2 * channels);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(32), (short)(2 * channels));
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(34), 16);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), 2 * channels * count);
        for (int i = 0; i < count * channels; i++)
        {
            double t = (double)(i / channels) / Rate;
            double value = i % channels == silentChannel ? 0 : 16000 * Math.Exp(-2 * t / seconds) * Math.Sin(2 * Math.PI * hertz * t);
            BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(44 + (2 * i)), (short)value);
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, file);
    }

    /// <summary>Skips the test where a program that it runs is not installed.</summary>
    public static void Need(string program)
    {
        bool found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, program)));
        Assert.SkipUnless(found, $"{program} is not installed.");
    }

    /// <summary>Counts stretches of sound that silence of at least 50 ms separates.</summary>
    public static int Bursts(ReadOnlySpan<float> samples, int sampleRate)
    {
        int bursts = 0, quiet = int.MaxValue;
        float peak = 0;
        foreach (float s in samples)
            peak = Math.Max(peak, Math.Abs(s));
        foreach (float s in samples)
        {
            if (Math.Abs(s) > peak / 50)
            {
                if (quiet > sampleRate / 20)
                    bursts++;
                quiet = 0;
            }
            else if (quiet < int.MaxValue)
            {
                quiet++;
            }
        }
        return bursts;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
