import { format } from 'node:util';
import { diag, DiagLogLevel, type DiagLogFunction, type DiagLogger } from '@opentelemetry/api';
import type { Command } from 'commander';
import { CategorizedError } from '#semconv';
import { printableText } from '#semconv/printable-text';
import { hideSecretValues } from '#semconv/secret-values';

/** The levels of OpenTelemetry for JavaScript, in any case. */
const LEVELS: ReadonlyMap<string, DiagLogLevel> = new Map([
  ['none', DiagLogLevel.NONE],
  ['error', DiagLogLevel.ERROR],
  ['warn', DiagLogLevel.WARN],
  ['info', DiagLogLevel.INFO],
  ['debug', DiagLogLevel.DEBUG],
  ['verbose', DiagLogLevel.VERBOSE],
  ['all', DiagLogLevel.ALL],
]);

/**
 * Lets each action of a program write OpenTelemetry's diagnostics to stderr, as `OTEL_LOG_LEVEL` says; none unless it is set.
 * stdout stays that of the command, which may be one JSON document. Global to the process, so only for our programs: in one
 * that embeds the package its own logger stays.
 */
export const withDiagnostics = (program: Command): Command =>
  program.hook('preAction', () => logDiagnostics(process.env, (line) => process.stderr.write(line)));

/** @throws CategorizedError for a value that is no level, with those that are */
export function logDiagnostics(
  { OTEL_LOG_LEVEL: given = '' }: NodeJS.ProcessEnv,
  write: (line: string) => void,
): void {
  if (given === '') return;
  const logLevel = LEVELS.get(given.trim().toLowerCase());
  if (logLevel === undefined) {
    throw new CategorizedError(
      'validator_internal',
      `OTEL_LOG_LEVEL is ${JSON.stringify(given)}; allowed: ${[...LEVELS.keys()].join(', ')}. Correct it or leave it out.`,
    );
  }
  const at =
    (level: string): DiagLogFunction =>
    (message, ...details) =>
      write(`OpenTelemetry ${level}: ${printableText(hideSecretValues(format(message, ...details)))}\n`);
  const logger: DiagLogger = {
    error: at('error'),
    warn: at('warning'),
    info: at('info'),
    debug: at('debug'),
    verbose: at('verbose'),
  };
  diag.setLogger(logger, { logLevel, suppressOverrideMessage: true });
}
