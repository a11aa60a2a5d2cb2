import type { StopReport } from '#pipeline';
import type { Adopted } from '#recorder/recording';
import type { Barograph } from '#src/start';

const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** What was done for processes that had ended before their records were delivered. */
export function describeAdoption({ spools, records, closedSteps }: Adopted): string {
  const delivered = counted(records, 'record was', 'records were');
  const taken = `Took up ${counted(spools, 'spool', 'spools')} that processes had left behind: ${delivered} delivered.`;
  if (closedSteps === 0) return taken;
  const steps = counted(closedSteps, 'step that had not ended is', 'steps that had not ended are');
  return `${taken} ${steps} recorded as abandoned.`;
}

/** What a process has finished when it ends, and what it leaves where. */
export interface ExitReport {
  /** Null for a process that works on no steps. */
  readonly steps: StopReport | null;
  readonly spans: SpansAtEnd;
}

/** What became of what was not in the database when the process was asked to end. */
export interface SpansAtEnd {
  /** Records that found no room, of steps that nobody will learn of any more. */
  readonly lost: number;
  /** Records that wait on disk for the database. */
  readonly waiting: number;
  /** Steps that did not end; the next process on this spool closes them. */
  readonly openSteps: number;
  readonly directory: string;
}

/** The records of a recording that was closed. */
export function spansAtEnd({
  counters,
  remainder,
}: Pick<Barograph['recording'], 'counters' | 'remainder'>): SpansAtEnd {
  const lost = Object.values(counters().dropped).reduce((sum, records) => sum + records, 0);
  const { records = 0, openSteps = 0, directory = '' } = remainder() ?? {};
  return { lost, waiting: records, openSteps, directory };
}

/** The report in words: a line for the steps, if there were any, and one for the spans. */
export function describeExit({ steps, spans }: ExitReport): string {
  const lines = [steps === null ? '' : describeSteps(steps), describeSpans(spans)];
  return lines.filter((line) => line !== '').join('\n');
}

function describeSteps({ finished, left }: StopReport): string {
  const ended = finished === 0 ? '' : `Steps under way that came to their end: ${finished}. `;
  if (left === 0) return ended.trimEnd();
  return `${ended}Steps that did not: ${left}. They are recorded as abandoned, and the next worker does them again, within seconds where one runs.`;
}

function describeSpans({ lost, waiting, openSteps, directory }: SpansAtEnd): string {
  const missing = lost === 0 ? '' : ` ${lost} records were dropped: see run_completeness.`;
  if (waiting === 0 && openSteps === 0) {
    return `Ended; everything that was recorded is in the database.${missing}`;
  }
  const steps = openSteps === 0 ? '' : `, and ${openSteps} steps that did not end`;
  return `Ended; ${waiting} records wait for the database in ${directory}${steps}. The next start takes care of them.${missing}`;
}
