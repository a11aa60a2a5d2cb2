/** Names that are not used any more, and what the field calls the thing. */
export interface Retired {
  /** Whole identifiers, of functions, constants, classes, types, parameters, properties and locals. */
  readonly names?: readonly string[];
  /** Names of files without folder and extension; tests bear the name of the file that they test. */
  readonly files?: readonly string[];
  readonly instead: string;
  /** Where the names are retired, as folders from the root or file names. Left out: everywhere. */
  readonly within?: readonly string[];
  /** Where the names stay, in the same form. */
  readonly except?: readonly string[];
}

/**
 * Names that the field's words replaced, in all the forms that the code had.
 *
 * An ordinary word is retired as a whole name, never in prose. Where it is the field's own word elsewhere, `within`
 * or `except` draws the line: a promise settles, a byte reader takes, a hash table has slots.
 */
export const RETIRED: readonly Retired[] = [
  // Dead letters and rejected spans
  {
    names: ['bury', 'buryOnly', 'buryAll', 'buried', 'BuryOptions', 'keepRejected'],
    files: ['bury'],
    instead: 'write dead letter',
  },
  { names: ['letterText'], instead: 'sanitizeText' },
  { names: ['letterSpan'], files: ['letter-span'], instead: 'dead-letter codec' },
  {
    names: ['letterWords', 'lettersInWords'],
    files: ['letter-words'],
    instead: 'formatDeadLetters',
  },
  { names: ['setAside', 'setLateAside'], instead: 'reject, rejectLateSpans' },
  { names: ['judgeClock'], instead: 'validateTimestamps' },

  // Which end of a step counts
  {
    names: ['Worth', 'worth', 'worthOf', 'compareWorth'],
    files: ['end-worth'],
    instead: 'EndPrecedence',
  },
  { names: ['better'], instead: 'preferredEnd', within: ['exporters/postgres'] },
  { names: ['keepClosings'], instead: 'upsertClosings' },
  {
    names: ['owed', 'isOwed', 'OwedClosings', 'owedClosings'],
    files: ['owed-closings'],
    instead: 'pending closings',
  },
  { names: ['payOwed', 'oweForEnd'], instead: 'flushPending, addPendingEnd' },

  // Folds
  { names: ['say', 'sayFirst', 'sayStart'], instead: 'setLww, setFirst' },
  {
    names: [...['whatAFactSays', 'whatALeadSays', 'whatAnEndSays', 'whatAnEndSaysFirst'], 'whatAClosingSays'],
    instead: 'stateFields, leadFields, endFields, closingFields',
  },
  { names: ['Moment'], instead: 'LogicalTimestamp' },
  { names: ['moment'], instead: 'timestamp', within: ['exporters/postgres'] },
  { names: ['Register'], files: ['register'], instead: 'LwwRegister' },
  {
    names: ['news', 'addNews', 'factNews', 'MinerNews', 'NewsOfMiners'],
    files: ['miner-news'],
    instead: 'change, applyChange',
  },
  { names: ['takenBack'], instead: 'reverted' },
  { names: ['toldMiners', 'ToldMiner'], instead: 'minersToUpdate' },
  { names: ['moveHistories'], files: ['move-histories'], instead: 'updateHistories' },
  { names: ['noticeMiner', 'openMiner', 'closeMiner'], instead: 'touchMiner, toDraft, fromDraft' },
  { names: ['seenTransactions'], files: ['seen-transactions'], instead: 'snapshot visibility' },
  { names: ['readBeginnings', 'beginnings'], instead: 'readArchivedFolds' },
  { names: ['readRunsLeftAlone'], instead: 'readArchivedRunIds' },

  // Tables
  { names: ['forget'], instead: 'invalidate', within: ['exporters/postgres'] },
  { names: ['WORTH_A_COPY'], instead: 'COPY_MIN_ROWS' },
  { names: ['whenLocked'], instead: 'withLockTimeout' },
  { names: ['closedSets'], files: ['closed-sets'], instead: 'parse-closed-sets' },
  { names: ['saysTheSame'], instead: 'rowsEqual' },
  { names: ['byClaim'], instead: 'bySeniority' },
  { names: ['departures', 'findDepartures'], files: ['departures'], instead: 'stale miners' },

  // The spool
  { names: ['quietly'], files: ['quietly'], instead: 'ignoreErrors' },
  {
    names: ['TurnRecords', 'turnRecords'],
    files: ['turn-records'],
    instead: 'write buffer, group commit',
  },
  { names: ['carry', 'carried'], instead: 'compaction, rewriteOpenStarts', within: ['exporters/spool'] },
  { names: ['disown', 'isDisowned'], instead: 'fence' },
  {
    names: [
      'Estate',
      'estate',
      'heir',
      'heirsEnd',
      'Inheritance',
      'inheritance',
      'InheritedSpool',
      'inheritSpool',
    ],
    files: ['inherit-spool'],
    instead: 'recovered state, recover-spool',
  },
  { names: ['TextMemory', 'textMemory'], files: ['text-memory'], instead: 'string cache' },
  { names: ['memberNames'], files: ['member-names'], instead: 'key dictionary' },
  { names: ['places'], instead: 'slots of a hash table', within: ['open-steps'] },
  { names: ['inTurns', 'turns'], files: ['turns'], instead: 'mapCooperatively', except: ['test/world'] },

  // Processes and the pipeline
  {
    names: ['remembering', 'remembered', 'REMEMBERED'],
    files: ['remembering'],
    instead: 'memoize, memoized',
  },
  {
    names: ['Closers', 'closers', 'createClosers', 'openAll'],
    files: ['closers'],
    instead: 'resource stack, acquireAll',
  },
  { names: ['keptEnds', 'keepEnd', 'tellFirst'], files: ['kept-ends'], instead: 'span-end outbox' },
  { names: ['stepEnds', 'StepEnds'], files: ['step-ends'], instead: 'span-end codec' },
  { names: ['settle', 'settled'], files: ['settle'], instead: 'commitStep', within: ['src/pipeline'] },
  {
    names: ['sole', 'SoleLock', 'SOLE_LOCK_CLASS', 'becomeSole', 'requireNoSole'],
    files: ['sole-worker'],
    instead: 'exclusive worker',
  },
  {
    names: ['hearErrors', 'hearClient', 'goDeaf'],
    files: ['hear-errors'],
    instead: 'attachErrorHandlers, detach',
  },
  { names: ['hurried'], instead: 'scaleDelay' },
  { names: ['toldOnce'], files: ['told-once'], instead: 'dedupeWarnings' },
  { names: ['oneAtATime'], files: ['one-at-a-time'], instead: 'serializeByKey' },
  { names: ['endSoon'], files: ['end-soon'], instead: 'exitWhenIdle' },

  // Scores
  {
    names: ['ToldFields', 'toldFields', 'tellTotals'],
    files: ['told-fields'],
    instead: 'sums to moments',
  },
  { names: ['WholeRows', 'wholeRows', 'sumWholeRows'], files: ['whole-rows'], instead: 'sumRows' },

  // Steps and ingest
  { names: ['looksLike'], instead: 'copyFunctionShape' },
  { names: ['sortSpans', 'SortedSpans'], instead: 'partitionByValidIds' },
  {
    names: ['slots', 'Slots', 'createSlots'],
    files: ['slots'],
    instead: 'concurrency limit',
    within: ['src/ingest'],
  },
  { names: ['answer'], files: ['answer'], instead: 'handleExport, reply, response', within: ['src'] },
  {
    names: ['take'],
    files: ['take-spans'],
    instead: 'deliverSpans',
    within: ['src/ingest'],
    except: ['protobuf-reader'],
  },
  { names: ['Refusal', 'refusal'], files: ['refusal'], instead: 'HttpError, rejection, reason' },

  // Whatever a local holds: values, attributes, outcome …
  { names: ['told', 'said', 'word'], instead: 'the name of what it holds' },

  // Benches
  { names: ['SeedsWay', 'openSeedsWay'], files: ['seeds-way'], instead: 'naive writer' },
];
