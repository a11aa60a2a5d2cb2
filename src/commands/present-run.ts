import { formatRunReport } from '../reports/run-table.ts';
import type { Output } from './output.ts';
import type { FinishedRun } from './run-on-stores.ts';
import type { ValidationReport } from './validate.ts';

/** How a finished run is shown. */
export interface PresentationOptions {
  readonly isJson: boolean;
  /** Stay up afterwards, so that metrics and database can be looked at, until Ctrl-C. */
  readonly staysUp: boolean;
  readonly output: Output;
}

function whereabouts({ where, recorder }: ValidationReport): string {
  const dropped = Object.values(recorder.dropped).reduce((sum, count) => sum + count, 0);
  return [
    `Metrics:  ${where.metrics ?? 'not served'}`,
    `Database: ${where.database}`,
    `Traces:   ${where.traces ?? 'not exported; set OTEL_EXPORTER_OTLP_ENDPOINT to send them to a Collector or Jaeger'}`,
    `Dropped:  ${dropped} spans`,
  ].join('\n');
}

/** Shows what was recorded and closes, at once or when the user says so; sets the exit code of the process. */
export async function presentRun(
  run: FinishedRun,
  { isJson, staysUp, output }: PresentationOptions,
): Promise<void> {
  const { report } = run;
  output.result(
    isJson ? JSON.stringify(report, null, 2) : `${formatRunReport(report)}\n\n${whereabouts(report)}`,
  );
  if (staysUp) {
    output.progress('Still serving. Ctrl-C ends it.');
    await untilInterrupted();
  }
  await run.close();
  if (report.run.status !== 'completed') process.exitCode = 1;
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
