import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError } from 'commander';
import { parsePortOrOff, readConfig } from '#src/config';
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
  readonly grpcPort?: number | 'off';
  readonly json?: true;
}

/** The parser of the command line would take null for an empty text. */
function portOrOff(text: string): number | 'off' {
  const parsed = parsePortOrOff(text);
  if (parsed === undefined)
    throw new InvalidArgumentError('Allowed: a whole number from 0 to 65535, or off.');
  return parsed ?? 'off';
}

/** `barograph record`: the service that records spans of other programs. */
export function recordCommand(): Command {
  return new Command('record')
    .description(
      'Receives spans of other programs over OTLP, by HTTP and gRPC, and records them until it is stopped.',
    )
    .option('--host <address>', 'address to listen on; BAROGRAPH_INGEST_HOST unless given')
    .option(
      '--port <number>',
      'port to listen on; BAROGRAPH_INGEST_PORT unless given',
      wholeNumber(0, 65_535),
    )
    .option(
      '--grpc-port <number or off>',
      'port to listen on for gRPC; BAROGRAPH_INGEST_GRPC_PORT unless given',
      portOrOff,
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
        ingestGrpcPort: options.grpcPort === 'off' ? null : (options.grpcPort ?? read.ingestGrpcPort),
      };
      await interruptible((signal) => runRecorder({ config, isJson, output, signal }));
    });
}
