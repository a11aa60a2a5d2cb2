/** Facade over the dead-letter queries: the commands reach the tables through this module only. */
export { replayDeadLetters, type Replay } from '#postgres/maintenance/replay';
export {
  countDeadLetters,
  dropDeadLetters,
  readDeadLetters,
  type DeadLetter,
  type DeadLetterCounts,
  type DeadLetterFilter,
} from '#postgres/dead-letters/read-dead-letters';
