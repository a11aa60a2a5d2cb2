import type { DeadLetter, DeadLetterCounts, Replay } from '#maintenance/dead-letters';
import { textTable, type TextColumn } from '#reports/text-table';

/** Longest detail that is shown; the rest is in the JSON. */
const MAX_DETAIL_LENGTH = 120;

/** On one line, and with nothing in it that a terminal obeys: a sender chose this text. */
function onOneLine(text: string, maxLength = Infinity): string {
  const line = text.replace(/\p{C}+/gu, ' ');
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}

const COLUMNS: readonly TextColumn<DeadLetter>[] = [
  { heading: 'reason', value: ({ reason }) => reason },
  { heading: 'run', value: ({ runId }) => String(runId ?? '–'), isNumber: true },
  { heading: 'phase', value: ({ phase }) => phase },
  { heading: 'span', value: ({ spanId }) => onOneLine(spanId) },
  { heading: 'detail', value: ({ detail }) => onOneLine(detail, MAX_DETAIL_LENGTH) },
];

const sumOf = (counts: DeadLetterCounts): number =>
  Object.values(counts).reduce((sum, letters) => sum + letters, 0);

/** The letters by reason in words: `3 dead letters (2 invalid_attribute, 1 partition_dropped)`. */
export function formatDeadLetters(counts: DeadLetterCounts): string {
  const sum = sumOf(counts);
  if (sum === 0) return 'no dead letters';
  const reasons = Object.entries(counts).map(([reason, letters]) => `${letters} ${reason}`);
  return `${sum} dead ${sum === 1 ? 'letter' : 'letters'} (${reasons.join(', ')})`;
}

/** The letters as a table, and how many there are. */
export function deadLetterList(letters: readonly DeadLetter[], counts: DeadLetterCounts): string {
  if (letters.length === 0) return 'There are no dead letters that match.';
  const isWhole = sumOf(counts) === letters.length;
  const shown = isWhole ? 'Shown' : `Shown: the first ${letters.length} of`;
  return `${textTable(COLUMNS, letters)}\n\n${shown}${isWhole ? ':' : ''} ${formatDeadLetters(counts)}.`;
}

/** What became of replayed letters. */
export function formatReplay({ recorded, refused, stripped }: Replay): string {
  const lines = [
    `Recorded and removed: ${recorded}.`,
    `Refused again and kept: ${formatDeadLetters(refused)}.`,
  ];
  if (stripped > 0) {
    lines.push(`Kept without being tried: ${stripped}, of which only ids and name could be kept.`);
  }
  return lines.join('\n');
}

/** A letter as its row. */
export function toDocument(letter: DeadLetter): Readonly<Record<string, unknown>> {
  return {
    trace_id: letter.traceId,
    span_id: letter.spanId,
    phase: letter.phase,
    reason: letter.reason,
    detail: letter.detail,
    validator_hotkey: letter.validatorHotkey,
    run_id: letter.runId,
    instance_id: letter.instanceId,
    span: JSON.parse(letter.span) as unknown,
  };
}
