return await Tally.Bench.BenchCommand.Run(args);
