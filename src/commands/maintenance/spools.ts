import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { readConfig } from '#src/config';
import {
  dropSpoolFolder,
  findSpools,
  readSpool,
  replaySpoolFolder,
  type ReplayedSpool,
  type SpoolReading,
} from '#maintenance/maintenance';
import { spoolRoot } from '#recorder/process-spool';
import { textTable, type TextColumn } from '#reports/text-table';
import { CategorizedError } from '#semconv';
import { createOutput } from '../terminal/output.ts';
import { withDatabase, type OpenDatabase } from '../with-database.ts';

interface JsonOption {
  readonly json?: true;
}

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

const LIST: readonly TextColumn<SpoolReading>[] = [
  { heading: 'folder', value: ({ folder }) => folder },
  { heading: 'owner', value: ({ owner }) => owner.replace('_', ' ') },
  { heading: 'format', value: (spool) => formatsOf(spool).map(formatText).join(', ') || '–' },
  { heading: 'records', value: (spool) => String(countsOf(spool).records), isNumber: true },
  { heading: 'undelivered', value: (spool) => String(countsOf(spool).undelivered), isNumber: true },
  { heading: 'bytes', value: (spool) => String(countsOf(spool).bytes), isNumber: true },
  { heading: 'unreadable', value: (spool) => unreadableText(spool) },
];

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

const toDocument = (spool: SpoolReading): object => ({
  folder: spool.folder,
  owner: spool.owner,
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

const toWholeDocument = (spool: SpoolReading): object => {
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

function describeSpool(spool: SpoolReading): string {
  const { books, tail, cursor, owner, cutOff } = spool;
  const emitter =
    books === null ? 'unknown: no books, or none that this version reads' : books.emitter.instanceId;
  return [
    `${spool.folder} (${owner.replace('_', ' ')})`,
    `Process: ${emitter}${books === null ? '' : ` of ${books.emitter.validatorHotkey}`}`,
    `Books: ${books === null ? 'none' : `up to record ${books.ledger.upTo}, ${books.ledger.runs.length} runs`}`,
    `Tail: ${tail === null ? 'none' : `record ${tail.sequence}, durability ${tail.durability}`}`,
    `Delivered up to segment ${cursor.segment}, byte ${cursor.offset}`,
    ...(cutOff === null
      ? []
      : [`Cut off: the records ${cutOff[0]} to ${cutOff[1]} were written and are gone.`]),
    textTable(SEGMENTS, spool.segments),
  ].join('\n');
}

const listCommand = (): Command =>
  new Command('list')
    .description('Lists the spools of the data directory, with what waits in them and what cannot be read.')
    .option('--json', 'print one JSON document instead of text')
    .action(async ({ json }: JsonOption) => {
      const directory = join(readConfig(process.env).dataDirectory, 'spool');
      const spools = await Promise.all((await findSpools(directory)).map(readSpool));
      print(json, { spools: spools.map(toDocument) }, () =>
        spools.length === 0 ? `There are no spools below ${directory}.` : textTable(LIST, spools),
      );
    });

const inspectCommand = (): Command =>
  new Command('inspect')
    .description('Shows what is in the folder of a spool, segment by segment, and changes nothing.')
    .argument('<folder>', 'the folder')
    .option('--json', 'print one JSON document instead of text')
    .action(async (folder: string, { json }: JsonOption) => {
      const spool = await readSpool(existing(folder));
      print(json, toWholeDocument(spool), () => describeSpool(spool));
    });

const replayCommand = (): Command =>
  new Command('replay')
    .description(
      'Delivers what can be read of a spool to the database, again if need be, and keeps the folder.',
    )
    .argument('<folder>', 'the folder')
    .option('--json', 'print one JSON document instead of text')
    .action(async (folder: string, { json }: JsonOption) => {
      const place = existing(folder);
      const replayed = await withDatabase(async (database) => {
        requireSameDatabase(place, database);
        return replaySpoolFolder(database.pool, place);
      });
      print(json, { folder: place, ...replayed }, () => replayText(place, replayed));
    });

function replayText(folder: string, { delivered, rejected, undecodable, unreadable }: ReplayedSpool): string {
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

const dropCommand = (): Command =>
  new Command('drop')
    .description('Removes the folder of a spool for good. What it held stays missing in the books.')
    .argument('<folder>', 'the folder')
    .option('--yes', 'really remove it; without it the loss is only named')
    .option('--json', 'print one JSON document instead of text')
    .action(async (folder: string, { yes, json }: JsonOption & { readonly yes?: true }) => {
      const place = existing(folder);
      const spool = await readSpool(place);
      if (yes !== true)
        throw new CategorizedError(
          'validator_internal',
          `${lossText(spool)} Repeat with --yes to remove it.`,
        );
      const isCounted = await withDatabase(async (database) => {
        requireSameDatabase(place, database);
        return dropSpoolFolder(database.pool, place);
      });
      const counted = isCounted
        ? 'Their numbers stay missing in the books.'
        : 'Nothing says whose they were: no book counts them.';
      print(
        json,
        { ...toDocument(spool), is_counted: isCounted },
        () => `Removed. ${lossText(spool)} ${counted}`,
      );
    });

function lossText(spool: SpoolReading): string {
  const { records, undelivered, bytes } = countsOf(spool);
  const unreadable = unreadableText(spool);
  return (
    `${spool.folder} holds ${bytes} bytes with ${records} records, of which ${undelivered} are not known to be delivered` +
    `; unreadable: ${unreadable === '–' ? 'nothing' : unreadable}.`
  );
}

function existing(folder: string): string {
  if (existsSync(folder)) return resolve(folder);
  throw new CategorizedError(
    'validator_internal',
    `${folder} is no folder. \`barograph spools list\` names those of the data directory.`,
  );
}

/** Records belong to the database that they were written for; the folder above names it. */
function requireSameDatabase(folder: string, { config, connectionString, kind }: OpenDatabase): void {
  const expected = basename(spoolRoot({ config, database: { connectionString, kind } }));
  const found = basename(dirname(folder));
  if (found === expected) return;
  throw new CategorizedError(
    'validator_internal',
    `${folder} was written for the database ${found}, and DATABASE_URL names ${expected}. ` +
      'Set DATABASE_URL, or move the folder below a folder of that name.',
  );
}

function print(json: true | undefined, document: object, text: () => string): void {
  const isJson = json === true;
  createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : text());
}

/** `barograph spools`: what waits on disk, and what of it cannot be read. */
export const spoolsCommand = (): Command =>
  new Command('spools')
    .description('Lists, inspects, replays or removes spools: the records of processes on this disk.')
    .addCommand(listCommand())
    .addCommand(inspectCommand())
    .addCommand(replayCommand())
    .addCommand(dropCommand());
