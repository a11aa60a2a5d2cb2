import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { readConfig } from '#src/config';
import { interruptible } from '../terminal/signals.ts';
import { wholeNumber } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { runRecorder } from './run-recorder.ts';

/** How much the heap may grow beyond the live objects until it is collected, per cent. */
const GROWTH_PERCENT = 50;

/**
 * Trades little speed for much memory: with plenty of memory V8 lets garbage grow far beyond the live objects while a
 * recorder works through a backlog (docs/performance.md).
 *
 * Global to the process, so only for the `barograph` program, never for a host that embeds the package.
 */
const keepHeapSmall = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);

interface RecordOptions {
  readonly host?: string;
  readonly port?: number;
  readonly json?: true;
}

/** `barograph record`: the service that records spans of other programs. */
export function recordCommand(): Command {
  return new Command('record')
    .description('Receives spans of other programs over OTLP/HTTP and records them until it is stopped.')
    .option('--host <address>', 'address to listen on; BAROGRAPH_INGEST_HOST unless given')
    .option(
      '--port <number>',
      'port to listen on; BAROGRAPH_INGEST_PORT unless given',
      wholeNumber(0, 65_535),
    )
    .option('--json', 'print where it listens as one JSON document')
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
