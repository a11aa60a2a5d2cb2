import { Command, Option } from 'commander';
import { readConfig } from '#src/config';
import type { MinersTls } from '#pipeline/miners/index';
import { minersTlsOption } from '../terminal/option-parsers.ts';
import { interruptible } from '../terminal/signals.ts';
import { createOutput } from '../terminal/output.ts';
import { timeOfDay, type TimeOfDay } from './time-of-day.ts';
import { openMinerAccess, withTransportOptions, type TransportOptions } from '../run/miner-transport.ts';
import { workDaily } from './work-daily.ts';

interface WorkCommandOptions extends TransportOptions {
  readonly truth: string;
  readonly climatology: string;
  readonly reference: string;
  readonly analysis?: string;
  readonly minersFile: string;
  readonly minersTls: MinersTls;
  readonly at: TimeOfDay;
  readonly once?: true;
  readonly json?: true;
}

/** By then GFS of the 00Z cycle is published. */
const DEFAULT_TIME = '18:00';

/** `barograph work`: the workers of a validator, and its daily run. */
export function workCommand(): Command {
  return withTransportOptions(new Command('work'))
    .description(
      'Works on all runs of the database and creates one a day. Any number of processes may share a database. ' +
        'A store may name parts of T0: {YYYYMMDD}, {YYYY}, {MM}, {DD}, {HH}.',
    )
    .requiredOption('--truth <store>', 'ERA5: a directory or an http(s) URL')
    .requiredOption('--climatology <store>', 'climatology at the valid times')
    .requiredOption(
      '--reference <store>',
      'the GFS forecast from T0, for example https://host/gfs/{YYYYMMDD}.zarr',
    )
    .option('--analysis <store>', 'the GFS analysis, truth of day one; --truth unless given')
    .requiredOption('--miners-file <file>', 'the miners: [{"uid", "hotkey", "url"}]; read again for each run')
    .addOption(minersTlsOption())
    .addOption(
      new Option('--at <time>', 'when the run of a day’s 00Z cycle is created, UTC')
        .argParser(timeOfDay)
        .default(timeOfDay(DEFAULT_TIME), DEFAULT_TIME),
    )
    .option('--once', 'end when the run of one day is over')
    .option('--json', 'print one line of JSON for each event')
    .action(async (options: WorkCommandOptions) => {
      const { truth, climatology, reference, analysis, minersFile, minersTls, at } = options;
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      const config = readConfig(process.env);
      const stores = { truth, climatology, reference, analysis };
      const once = options.once === true;
      const access = await openMinerAccess(options, config);
      await interruptible((signal) =>
        workDaily({ stores, minersFile, minersTls, access, at, once, config, isJson, output, signal }),
      );
    });
}
