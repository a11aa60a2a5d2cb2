import { Command } from 'commander';
import { readConfig } from '#src/config';
import type { MinersTls } from '#pipeline/miners/index';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { interruptible } from '../terminal/signals.ts';
import { instant, leadList, minersTlsOption, wholeNumber } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { openMinerAccess, withTransportOptions, type TransportOptions } from './miner-transport.ts';
import { presentRun } from './present-run.ts';
import { runOnStores } from './run-on-stores.ts';

interface RunOptions extends TransportOptions {
  readonly truth: string;
  readonly climatology: string;
  readonly reference: string;
  readonly analysis?: string;
  readonly initTime: Date;
  readonly miners: number;
  readonly seed: number;
  readonly forecasts?: string;
  readonly minersFile?: string;
  readonly minersTls: MinersTls;
  readonly leads: readonly number[];
  readonly day1Lead: number;
  readonly json?: true;
}

/** `barograph run`: one run on the user's Zarr stores, to completion. */
export function runCommand(): Command {
  return withTransportOptions(new Command('run'))
    .description('Validates one forecast cycle on Zarr stores, to completion, and records it.')
    .requiredOption('--truth <store>', 'ERA5: a directory or an http(s) URL')
    .requiredOption('--climatology <store>', 'climatology at the valid times')
    .requiredOption('--reference <store>', 'the GFS forecast from T0')
    .option('--analysis <store>', 'the GFS analysis, truth of day one; --truth unless given')
    .requiredOption('--init-time <time>', 'T0, a cycle: 00, 06, 12 or 18 UTC', instant)
    .option('--miners <count>', 'simulated miners', wholeNumber(1, 256), 16)
    .option('--seed <number>', 'random seed of the simulated miners', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--forecasts <directory>', 'stores that simulated miners serve instead of making forecasts')
    .option('--miners-file <file>', 'real miners instead: [{"uid", "hotkey", "url"}]')
    .addOption(minersTlsOption())
    .option('--leads <hours>', 'leads scored against ERA5, separated by commas', leadList, ERA5_LEAD_HOURS)
    .option('--day1-lead <hours>', 'lead scored on day one', wholeNumber(1, 1000), DAY1_LEAD_HOURS)
    .option('--json', 'print one JSON document instead of the table')
    .action(async (options: RunOptions) => {
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      const { truth, climatology, reference, analysis, ...rest } = options;
      const stores = { truth, climatology, reference, analysis };
      const config = readConfig(process.env);
      await interruptible(async (signal) => {
        const access = await openMinerAccess(rest, config);
        const run = await runOnStores({ ...rest, access, stores, config, output, signal });
        await presentRun(run, { isJson, staysUp: false, output, signal });
      });
    });
}
