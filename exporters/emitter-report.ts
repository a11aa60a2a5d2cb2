/** The step counts of one run by one emitter, as of a report. */
export interface RunAccount {
  readonly validatorHotkey: string;
  readonly runId: number;
  /** Steps that the emitter started. */
  readonly started: number;
  /** Steps of which no record has left the spool once the batch of the report is committed. */
  readonly spooled: number;
  /** Steps of which no record could be stored, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Closed intervals of record numbers: both ends of each pair are included. */
export type SequenceRanges = readonly (readonly [from: number, to: number])[];

/**
 * The record counts of an emitter, exported with a batch and committed in the batch's transaction. Records are numbered
 * from 1 without gaps; a number that is neither received nor dropped is in flight, or lost.
 */
export interface EmitterAccount {
  readonly validatorHotkey: string;
  /** `service.instance.id` of the process that made the records; another process may export them. */
  readonly instanceId: string;
  /** Start token of that process, by which two processes with one id are told apart; absent from earlier versions. */
  readonly epoch?: string | undefined;
  /** Records of this batch. */
  readonly received: SequenceRanges;
  /** Records that could not be stored. */
  readonly dropped: SequenceRanges;
  /** Number of the newest record. */
  readonly lastSequence: number;
  /** Delivery watermark: every record up to this number has left the spool once the batch is committed. */
  readonly deliveredSequence: number;
  /** Runs whose counts changed since the previous report. */
  readonly runs: readonly RunAccount[];
  /** Exported by the emitter itself, so it also proves that the process is alive; else by the adopter of its spool. */
  readonly isOwn: boolean;
  /** The last records of the emitter; no others follow. */
  readonly isClosed: boolean;
}

/** Enters an emitter of the same validator into the books before anything of it is known, and changes nothing after that. */
export const registrationOf = (
  { validatorHotkey }: Pick<EmitterAccount, 'validatorHotkey'>,
  instanceId: string,
): EmitterAccount => ({
  validatorHotkey,
  instanceId,
  received: [],
  dropped: [],
  lastSequence: 0,
  deliveredSequence: 0,
  runs: [],
  isOwn: false,
  isClosed: false,
});
