/** What a person may do with dead letters; the commands reach the tables through here. */
export { replayLetters, type Replay } from '#postgres/maintenance/replay';
export {
  countLetters,
  dropLetters,
  readLetters,
  type DeadLetter,
  type LetterCounts,
  type LetterFilter,
} from '#postgres/dead-letters/read-dead-letters';
