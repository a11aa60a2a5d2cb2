import type { StopReport } from '#pipeline';
import type { Adopted } from '#recorder/recording';
import type { Barograph } from '#src/start';

/** What a command does that a library must be asked for; it says itself where it records. */
export const RECORDING_OF_A_COMMAND = {
  metricsServer: true,
  traces: true,
  onEmbedded: () => undefined,
} as const;

const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** Describes the adoption of spools whose processes ended before their records were delivered. */
export function describeAdoption({ spools, records, closedSteps }: Adopted): string {
  const delivered = counted(records, 'record was', 'records were');
  const adopted = `Adopted ${counted(spools, 'spool', 'spools')} of ended processes: ${delivered} delivered.`;
  if (closedSteps === 0) return adopted;
  const steps = counted(closedSteps, 'step that had not ended is', 'steps that had not ended are');
  return `${adopted}\n${steps} recorded as abandoned.`;
}

/** What a process finished before it ended, and what it left. */
export interface ExitReport {
  /** Null for a process that runs no steps. */
  readonly steps: StopReport | null;
  readonly spans: SpansAtEnd;
}

/** The records that were not in the database when the process ended. */
export interface SpansAtEnd {
  /** Records that were dropped for good, by whatever reason. */
  readonly lost: number;
  /** Records in the spool. */
  readonly waiting: number;
  /** Steps that did not end; the process that adopts the spool closes them. */
  readonly openSteps: number;
  readonly directory: string;
}

/** Counts the records that a closed recording left. */
export function spansAtEnd({
  counters,
  remainder,
}: Pick<Barograph['recording'], 'counters' | 'remainder'>): SpansAtEnd {
  const lost = Object.values(counters().dropped).reduce((sum, records) => sum + records, 0);
  const { records = 0, openSteps = 0, directory = '' } = remainder() ?? {};
  return { lost, waiting: records, openSteps, directory };
}

/** The report as text: the steps, if there were any, then the spans. */
export function describeExit({ steps, spans }: ExitReport): string {
  const lines = [steps === null ? '' : describeSteps(steps), describeSpans(spans)];
  return lines.filter((line) => line !== '').join('\n');
}

function describeSteps({ finished, left }: StopReport): string {
  const ended = finished === 0 ? '' : `Running steps that finished: ${finished}. `;
  if (left === 0) return ended.trimEnd();
  return `${ended}Running steps that did not: ${left}.\nThey are recorded as abandoned, and the next worker repeats them.`;
}

function describeSpans({ lost, waiting, openSteps, directory }: SpansAtEnd): string {
  const missing =
    lost === 0 ? '' : `\n${counted(lost, 'record was', 'records were')} dropped: see run_completeness.`;
  if (waiting === 0 && openSteps === 0) {
    return `Ended; everything that was recorded is in the database.${missing}`;
  }
  const steps = openSteps === 0 ? '' : `, and ${counted(openSteps, 'step', 'steps')} did not end`;
  return `Ended; ${counted(waiting, 'record waits', 'records wait')} for the database${steps}.\nThe next start delivers the spool ${directory}${missing}`;
}
