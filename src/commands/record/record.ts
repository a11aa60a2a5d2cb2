import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { readConfig } from '#src/config';
import { interruptible } from '../terminal/signals.ts';
import { wholeNumber } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { runRecorder } from './run-recorder.ts';

/** How much the heap may grow beyond what was alive in it, per cent. */
const GROWTH_PERCENT = 50;

/**
 * Has garbage collected when it is half as much as what is alive. Where memory is plenty V8 waits for much more, which
 * gives a recorder that works through a backlog little speed for much memory (docs/performance.md).
 *
 * For a process of our own: it holds for the program as a whole.
 */
const keepHeapSmall = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);

interface RecordOptions {
  readonly host?: string;
  readonly port?: number;
  readonly json?: true;
}

/** `barograph record`: the service that takes spans of other programs. */
export function recordCommand(): Command {
  return new Command('record')
    .description('Takes spans of other programs over OTLP/HTTP and records them, until it is ended.')
    .option('--host <address>', 'where to listen; BAROGRAPH_INGEST_HOST unless given')
    .option(
      '--port <number>',
      'and on which port; BAROGRAPH_INGEST_PORT unless given',
      wholeNumber(0, 65_535),
    )
    .option('--json', 'print one JSON document that says where it listens')
    .action(async (options: RecordOptions) => {
      keepHeapSmall();
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      const read = readConfig(process.env);
      const config = {
        ...read,
        ingestHost: options.host ?? read.ingestHost,
        ingestPort: options.port ?? read.ingestPort,
      };
      await interruptible((signal) => runRecorder({ config, isJson, output, signal }));
    });
}
