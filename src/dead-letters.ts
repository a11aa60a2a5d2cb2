/** What a person may do with dead letters; the commands reach the tables through here. */
export { replayLetters, type Replay } from '../exporters/postgres/replay.ts';
export {
  countLetters,
  dropLetters,
  readLetters,
  type DeadLetter,
  type LetterCounts,
  type LetterFilter,
} from '../exporters/postgres/tables/read-dead-letters.ts';
