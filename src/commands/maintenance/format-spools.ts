import type { ReplayedSpool, SpoolReading } from '#maintenance/maintenance';
import { textTable, type TextColumn } from '#reports/text-table';
import { printableText } from '#semconv/printable-text';

type Counts = Readonly<Record<'bytes' | 'records' | 'undelivered' | 'undecodable' | 'damagedBytes', number>>;
type Segment = SpoolReading['segments'][number];

function countsOf({ segments }: SpoolReading): Counts {
  const sum = (key: keyof Counts): number => segments.reduce((total, segment) => total + segment[key], 0);
  return {
    bytes: sum('bytes'),
    records: sum('records'),
    undelivered: sum('undelivered'),
    undecodable: sum('undecodable'),
    damagedBytes: sum('damagedBytes'),
  };
}

const formatsOf = ({ segments }: SpoolReading): readonly (number | null)[] => [
  ...new Set(segments.map(({ format }) => format)),
];
const formatText = (format: number | null): string => (format === null ? '?' : String(format));

const spoolColumns = (now: number): readonly TextColumn<SpoolReading>[] => [
  { heading: 'folder', value: ({ folder }) => folder },
  { heading: 'owner', value: (spool) => ownerText(spool, now) },
  { heading: 'format', value: (spool) => formatsOf(spool).map(formatText).join(', ') || '–' },
  { heading: 'records', value: (spool) => String(countsOf(spool).records), isNumber: true },
  { heading: 'undelivered', value: (spool) => String(countsOf(spool).undelivered), isNumber: true },
  { heading: 'bytes', value: (spool) => String(countsOf(spool).bytes), isNumber: true },
  { heading: 'unreadable', value: (spool) => unreadableText(spool) },
];

/** The table of all spools. @param now wall clock, ms */
export function describeSpools(spools: readonly SpoolReading[], now: number): string {
  const isExplained = spools.some(({ owner }) => owner === 'unknown');
  return [textTable(spoolColumns(now), spools), ...(isExplained ? [UNKNOWN_OWNER] : [])].join('\n');
}

const UNKNOWN_OWNER =
  'unknown: the owner is of another container or of an earlier boot and cannot be looked up from here. If it lives, its ' +
  'heartbeat is some seconds old. If not, a process that records adopts the spool after two minutes of silence.';

function ownerText({ owner, heartbeatAt }: SpoolReading, now: number): string {
  if (owner !== 'unknown' || heartbeatAt === null) return owner.replace('_', ' ');
  return `unknown (heartbeat ${ageText(Math.max(0, now - heartbeatAt.getTime()))} ago)`;
}

/** An age in its largest unit, rounded down. */
function ageText(millis: number): string {
  const minutes = Math.floor(millis / 60_000);
  if (minutes < 1) return `${Math.floor(millis / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} days`;
}

function unreadableText(spool: SpoolReading): string {
  const { damagedBytes, undecodable } = countsOf(spool);
  const { cutOff } = spool;
  const parts = [
    ...(damagedBytes > 0 ? [`${damagedBytes} bytes`] : []),
    ...(undecodable > 0 ? [`${undecodable} records`] : []),
    ...(cutOff === null ? [] : [`${cutOff[0]}–${cutOff[1]} cut off`]),
  ];
  return parts.join(', ') || '–';
}

const SEGMENTS: readonly TextColumn<Segment>[] = [
  { heading: 'segment', value: ({ number }) => String(number), isNumber: true },
  { heading: 'format', value: ({ format }) => formatText(format) },
  { heading: 'bytes', value: ({ bytes }) => String(bytes), isNumber: true },
  { heading: 'records', value: ({ records }) => String(records), isNumber: true },
  {
    heading: 'numbers',
    value: ({ firstSequence: from, lastSequence: to }) => (from === null ? '–' : `${from}–${to}`),
  },
  { heading: 'undelivered', value: ({ undelivered }) => String(undelivered), isNumber: true },
  { heading: 'undecodable', value: ({ undecodable }) => String(undecodable), isNumber: true },
  { heading: 'damaged ranges', value: ({ damagedRanges }) => String(damagedRanges), isNumber: true },
  { heading: 'damaged bytes', value: ({ damagedBytes }) => String(damagedBytes), isNumber: true },
];

/** A spool as one entry of a JSON document. */
export const toDocument = (spool: SpoolReading): object => ({
  folder: spool.folder,
  owner: spool.owner,
  heartbeat_at: spool.heartbeatAt?.toISOString() ?? null,
  validator_hotkey: spool.books?.emitter.validatorHotkey ?? null,
  instance_id: spool.books?.emitter.instanceId ?? null,
  formats: formatsOf(spool),
  bytes: countsOf(spool).bytes,
  records: countsOf(spool).records,
  undelivered: countsOf(spool).undelivered,
  undecodable: countsOf(spool).undecodable,
  damaged_bytes: countsOf(spool).damagedBytes,
  last_sequence: spool.lastSequence,
  cut_off: spool.cutOff,
});

const toSegmentDocument = (segment: Segment): object => ({
  number: segment.number,
  format: segment.format,
  bytes: segment.bytes,
  records: segment.records,
  undelivered: segment.undelivered,
  undecodable: segment.undecodable,
  damaged_ranges: segment.damagedRanges,
  damaged_bytes: segment.damagedBytes,
  first_sequence: segment.firstSequence,
  last_sequence: segment.lastSequence,
});

/** A spool with its segments, cursor, tail and books. */
export const toWholeDocument = (spool: SpoolReading): object => {
  const { cursor, tail, books, segments } = spool;
  return {
    ...toDocument(spool),
    cursor,
    tail:
      tail === null
        ? null
        : {
            sequence: tail.sequence,
            end: tail.end,
            durability: tail.durability,
            boot_id: tail.bootId,
            is_closed: tail.isClosed,
            is_open_end: tail.isOpenEnd,
          },
    books:
      books === null
        ? null
        : { up_to: books.ledger.upTo, dropped: books.ledger.dropped, runs: books.ledger.runs },
    segments: segments.map(toSegmentDocument),
  };
};

/** The same as text. @param now wall clock, ms */
export function describeSpool(spool: SpoolReading, now: number): string {
  const { books, tail, cursor, owner, cutOff } = spool;
  const emitter =
    books === null ? 'unknown: no books, or none that this version reads' : books.emitter.instanceId;
  return [
    `${spool.folder} (${ownerText(spool, now)})`,
    ...(owner === 'unknown' ? [UNKNOWN_OWNER] : []),
    printableText(`Process: ${emitter}${books === null ? '' : ` of ${books.emitter.validatorHotkey}`}`),
    `Books: ${books === null ? 'none' : `up to record ${books.ledger.upTo}, ${books.ledger.runs.length} runs`}`,
    `Tail: ${tail === null ? 'none' : `record ${tail.sequence}, durability ${tail.durability}`}`,
    `Delivered up to segment ${cursor.segment}, byte ${cursor.offset}`,
    ...(cutOff === null
      ? []
      : [`Cut off: the records ${cutOff[0]} to ${cutOff[1]} were written and are gone.`]),
    textTable(SEGMENTS, spool.segments),
  ].join('\n');
}

/** What a replay delivered, and what of the folder cannot be read. */
export function replayText(
  folder: string,
  { delivered, rejected, undecodable, unreadable }: ReplayedSpool,
): string {
  const segments = Object.entries(unreadable).map(([number, reason]) => `segment ${number} (${reason})`);
  const isWhole = segments.length === 0 && undecodable === 0;
  return [
    `Delivered: ${delivered} records.`,
    ...(rejected > 0 ? [`Rejected by the database: ${rejected}.`] : []),
    isWhole
      ? `All of it could be read. \`barograph spools drop ${folder} --yes\` removes it.`
      : `Not readable: ${undecodable} records; ${segments.join(', ') || 'no segment is damaged'}. The folder stays as it is.`,
  ].join('\n');
}

/** What is gone when the folder is removed. */
export function lossText(spool: SpoolReading): string {
  const { records, undelivered, bytes } = countsOf(spool);
  const unreadable = unreadableText(spool);
  return (
    `${spool.folder} holds ${bytes} bytes with ${records} records, of which ${undelivered} are not known to be delivered` +
    `; unreadable: ${unreadable === '–' ? 'nothing' : unreadable}.`
  );
}
