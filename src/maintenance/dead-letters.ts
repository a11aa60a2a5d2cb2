/** What a person may do with dead letters; the commands reach the tables through here. */
export { replayDeadLetters, type Replay } from '#postgres/maintenance/replay';
export {
  countDeadLetters,
  dropDeadLetters,
  readDeadLetters,
  type DeadLetter,
  type DeadLetterCounts,
  type DeadLetterFilter,
} from '#postgres/dead-letters/read-dead-letters';
