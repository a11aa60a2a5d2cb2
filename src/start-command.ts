#!/usr/bin/env node
import { Command } from 'commander';
import { demonstrate } from './commands/run/demonstration.ts';
import { exitWhenIdle, reportFailure } from './commands/terminal/report-failure.ts';
import { withDiagnostics } from './commands/terminal/otel-log-level.ts';
import { interruptible } from './commands/terminal/signals.ts';
import { wholeNumber } from './commands/terminal/option-parsers.ts';
import { createOutput } from './commands/terminal/output.ts';
import { presentRun } from './commands/run/present-run.ts';
import { readConfig } from './config.ts';

interface StartOptions {
  readonly once?: true;
  readonly json?: true;
  readonly miners: number;
  readonly seed: number;
}

/** `npm start`: a whole validation run on a generated world, recorded. */
const command = withDiagnostics(new Command('npm start --'))
  .description('Runs a whole validation on a generated world, records it and prints what was recorded.')
  .option('--once', 'end after the table instead of serving until Ctrl-C')
  .option('--json', 'print one JSON document instead of the table')
  .option('--miners <count>', 'simulated miners', wholeNumber(1, 256), 16)
  .option('--seed <number>', 'random seed of the world and the miners', wholeNumber(0, 2 ** 31 - 1), 1)
  .action(async (options: StartOptions) => {
    const isJson = options.json === true;
    const output = createOutput({ isJson });
    const config = readConfig(process.env);
    await interruptible(async (signal) => {
      const run = await demonstrate({ ...options, config, output, signal });
      await presentRun(run, { isJson, staysUp: options.once !== true, output, signal });
    });
  });

await command.parseAsync().catch(reportFailure);
exitWhenIdle();
