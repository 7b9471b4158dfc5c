return await Tally.Silo.CommandLine.AppCommand.Run(args);
