return await FlamingoSharp.Cli.CommandLine.RunAsync(args).ConfigureAwait(false);
