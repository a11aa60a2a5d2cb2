import { formatRunReport } from '#reports/run-table';
import { describeExit } from '../terminal/exit-report.ts';
import { untilAborted } from '../terminal/signals.ts';
import type { Output } from '../terminal/output.ts';
import type { FinishedRun } from './run-on-stores.ts';
import type { ValidationReport } from './validation-report.ts';
import { describeOutcome } from '../terminal/watch-progress.ts';

/** How a finished run is shown. */
export interface PresentationOptions {
  readonly isJson: boolean;
  /** Keep serving metrics and database afterwards, until the signal aborts. */
  readonly staysUp: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Prints the report and closes the run, at once or at the user's signal; sets the exit code of the process. */
export async function presentRun(
  run: FinishedRun,
  { isJson, staysUp, output, signal }: PresentationOptions,
): Promise<void> {
  const { report } = run;
  try {
    output.result(isJson ? JSON.stringify(report, null, 2) : formatReport(report));
    if (staysUp) {
      output.progress('Still serving. Ctrl-C ends it.');
      await untilAborted(signal, new Promise<never>(() => undefined)).catch(() => undefined);
    }
  } finally {
    const exit = await run.close();
    if (staysUp) output.ending(describeExit(exit));
  }
  if (report.run.status !== 'completed') process.exitCode = 1;
}

function formatReport(report: ValidationReport): string {
  const body = report.is_recorded ? formatRunReport(report) : formatUnrecorded(report);
  return `${body}\n\n${formatLocations(report)}`;
}

const formatUnrecorded = ({ run, outcome }: ValidationReport): string =>
  `Run ${run.id} of validator ${run.validator_hotkey}, T0 ${run.init_time ?? 'unknown'}: ${run.status ?? 'unknown'} · ${describeOutcome(outcome)}\n\n` +
  'Nothing of it was recorded, because OTEL_SDK_DISABLED is true: unset it to record.';

function formatLocations({ where, recorder }: ValidationReport): string {
  return [
    `Metrics:  ${where.metrics ?? 'not served'}`,
    `Database: ${where.database}`,
    `Traces:   ${where.traces ?? 'not exported; set OTEL_EXPORTER_OTLP_ENDPOINT to export them'}`,
    `Dropped:  ${dropped(recorder.dropped)}`,
  ].join('\n');
}

function dropped(counts: ValidationReport['recorder']['dropped']): string {
  const reasons = Object.entries(counts).filter(([, spans]) => spans > 0);
  return reasons.length === 0
    ? 'no span'
    : reasons.map(([reason, spans]) => `${spans} spans (${reason.replaceAll('_', ' ')})`).join(', ');
}
