import type { StopReport } from '../pipeline/index.ts';
import type { Barograph } from '../start.ts';

/** What a process has finished when it ends, and what it leaves where. */
export interface ExitReport {
  /** Null for a process that works on no steps. */
  readonly steps: StopReport | null;
  readonly spans: SpansAtEnd;
}

/** What became of the spans that were not in the database when the process was asked to end. */
export interface SpansAtEnd {
  /** Spans that the database did not take in time; no process has them any more. */
  readonly lost: number;
}

/** The spans of a recording that was closed. */
export const spansAtEnd = ({ counters }: Pick<Barograph['recording'], 'counters'>): SpansAtEnd => ({
  lost: counters().dropped.shutdown_deadline,
});

/** The report in words: a line for the steps, if there were any, and one for the spans. */
export function describeExit({ steps, spans }: ExitReport): string {
  const lines = [steps === null ? '' : describeSteps(steps), describeSpans(spans)];
  return lines.filter((line) => line !== '').join('\n');
}

function describeSteps({ finished, left }: StopReport): string {
  const ended = finished === 0 ? '' : `Steps under way that came to their end: ${finished}. `;
  if (left === 0) return ended.trimEnd();
  return `${ended}Steps that did not: ${left}. Nothing of them counts; the next worker does them again, within seconds where one runs.`;
}

const describeSpans = ({ lost }: SpansAtEnd): string =>
  lost === 0
    ? 'Ended; everything that was recorded is in the database.'
    : `Ended; ${lost} spans are lost, because the database did not take them. Look at why, and start again.`;
