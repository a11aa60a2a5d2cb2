/** Counts of an emitter for one run, as of a report. */
export interface RunAccount {
  readonly validatorHotkey: string;
  readonly runId: number;
  /** Steps that the emitter started. */
  readonly started: number;
  /** Those of which nothing will have left its spool once the batch of the report is safe. */
  readonly spooled: number;
  /** Those of which nothing could be kept, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Numbers of records: from the first of each pair to the second, both included. */
export type SequenceRanges = readonly (readonly [from: number, to: number])[];

/**
 * What an emitter says of its records, told together with a batch of them and committed with it. Every record has a
 * number, from 1; what is neither received nor dropped is on its way, or lost.
 */
export interface EmitterAccount {
  readonly validatorHotkey: string;
  /** `service.instance.id` of the process that made the records, which need not be the one that tells. */
  readonly instanceId: string;
  /** Records of this batch. */
  readonly received: SequenceRanges;
  /** Records that could not be kept. */
  readonly dropped: SequenceRanges;
  /** Number of the newest record that was made. */
  readonly lastSequence: number;
  /** All records up to this one have left once the batch is safe. */
  readonly deliveredSequence: number;
  /** Runs of which something changed since the report before. */
  readonly runs: readonly RunAccount[];
  /** Told by the emitter itself, so a sign of its life; else by who took over its spool. */
  readonly isOwn: boolean;
  /** The last records of the emitter; no others follow. */
  readonly isClosed: boolean;
}
