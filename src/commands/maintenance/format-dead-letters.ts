import type { DeadLetter, DeadLetterCounts, Replay } from '#maintenance/dead-letters';
import { textTable, type TextColumn } from '#reports/text-table';
import { printableText } from '#semconv/printable-text';

/** Longest detail that is shown; the rest is in the JSON. */
const MAX_DETAIL_LENGTH = 120;
const MAX_HOTKEY_LENGTH = 12;

const COLUMNS: readonly TextColumn<DeadLetter>[] = [
  { heading: 'reason', value: ({ reason }) => reason },
  {
    heading: 'validator',
    value: ({ validatorHotkey }) => printableText(validatorHotkey ?? '–', MAX_HOTKEY_LENGTH),
  },
  { heading: 'run', value: ({ runId }) => String(runId ?? '–'), isNumber: true },
  { heading: 'phase', value: ({ phase }) => phase },
  { heading: 'span', value: ({ spanId }) => spanId },
  { heading: 'detail', value: ({ detail }) => printableText(detail, MAX_DETAIL_LENGTH) },
];

const sumOf = (counts: DeadLetterCounts): number =>
  Object.values(counts).reduce((sum, letters) => sum + letters, 0);

/** The counts by reason as text: `3 dead letters (2 invalid_attribute, 1 partition_dropped)`. */
export function formatDeadLetters(counts: DeadLetterCounts): string {
  const sum = sumOf(counts);
  if (sum === 0) return 'no dead letters';
  const reasons = Object.entries(counts).map(([reason, letters]) => `${letters} ${reason}`);
  return `${sum} dead ${sum === 1 ? 'letter' : 'letters'} (${reasons.join(', ')})`;
}

/** The dead letters as a table, and how many there are. */
export function formatDeadLetterList(letters: readonly DeadLetter[], counts: DeadLetterCounts): string {
  if (letters.length === 0) return 'There are no dead letters that match.';
  const isWhole = sumOf(counts) === letters.length;
  const shown = isWhole ? 'Shown' : `Shown: the first ${letters.length} of`;
  return `${textTable(COLUMNS, letters)}\n\n${shown}${isWhole ? ':' : ''} ${formatDeadLetters(counts)}.`;
}

/** The outcome of a replay as text. */
export function formatReplay({ recorded, refused, stripped }: Replay): string {
  const lines = [
    `Recorded and removed: ${recorded}.`,
    `Rejected again and kept: ${formatDeadLetters(refused)}.`,
  ];
  if (stripped > 0) {
    lines.push(`Kept without a replay: ${stripped}, stored with ids and name only.`);
  }
  return lines.join('\n');
}

/** A dead letter with the columns of its row. */
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
