using System.CommandLine;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train</c>: the steps that make a model, a subcommand each.</summary>
internal sealed class TrainVerb : Command
{
    public TrainVerb()
        : base("train", "Prepare data and train; a subcommand for each step.")
    {
        Add(new TrainTokenizerVerb());
        Add(new RenderVerb());
        Add(new MelsVerb());
        Add(new TrainEncoderVerb());
        Add(new TrainClapVerb());
        Add(new TrainLanguageVerb());
        Add(new TrainAverageVerb());
        Add(new TrainStageVerb("pretrain", "Teach a language model to hear: audio transformer and cross-attention learn, the language model is frozen.",
            "flamingo train pretrain --config foundation_pretrain.yaml --language-model opt-iml-max-1.3b --encoder clapcap_weights_2023.pth --out runs/pretrain",
            "flamingo train pretrain --data sets/sounds --language-model Qwen2.5-0.5B --encoder runs/clap --out runs/pretrain",
            "flamingo train pretrain --data sets/sounds --out runs/pretrain train_config.batch_size=8"));
        Add(new TrainStageVerb("sft", "Supervised fine-tuning: the whole language model learns, with few-shot samples among the plain ones.",
            "flamingo train sft --config foundation_sft_8_shot.yaml --model runs/pretrain --out runs/sft",
            "flamingo train sft --data sets/sounds --out runs/sft lora_config.rank=8"));
        Add(new TrainStageVerb("chat", "Fine-tune on dialogues about sounds.",
            "flamingo train chat --config chat.yaml --model runs/sft --out runs/chat"));
        Add(new TrainFineTuneVerb());
    }
}
