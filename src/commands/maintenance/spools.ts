import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { readConfig } from '#src/config';
import { dropSpoolFolder, findSpools, readSpool, replaySpoolFolder } from '#maintenance/maintenance';
import { spoolRoot } from '#recorder/process-spool';
import { CategorizedError } from '#semconv';
import { createOutput } from '../terminal/output.ts';
import { withDatabase, type OpenDatabase } from '../with-database.ts';
import {
  describeSpool,
  describeSpools,
  lossText,
  replayText,
  toDocument,
  toWholeDocument,
} from './format-spools.ts';

interface JsonOption {
  readonly json?: true;
}

const listCommand = (): Command =>
  new Command('list')
    .description('Lists the spools of the data directory, with what waits in them and what cannot be read.')
    .option('--json', 'print one JSON document instead of text')
    .action(async ({ json }: JsonOption) => {
      const directory = join(readConfig(process.env).dataDirectory, 'spool');
      const spools = await Promise.all((await findSpools(directory)).map(readSpool));
      print(json, { spools: spools.map(toDocument) }, () =>
        spools.length === 0 ? `There are no spools below ${directory}.` : describeSpools(spools, Date.now()),
      );
    });

const inspectCommand = (): Command =>
  new Command('inspect')
    .description('Shows what is in the folder of a spool, segment by segment, and changes nothing.')
    .argument('<folder>', 'the folder')
    .option('--json', 'print one JSON document instead of text')
    .action(async (folder: string, { json }: JsonOption) => {
      const spool = await readSpool(existingFolder(folder));
      print(json, toWholeDocument(spool), () => describeSpool(spool, Date.now()));
    });

const replayCommand = (): Command =>
  new Command('replay')
    .description(
      'Delivers what can be read of a spool to the database, again if need be, and keeps the folder.',
    )
    .argument('<folder>', 'the folder')
    .option('--json', 'print one JSON document instead of text')
    .action(async (folder: string, { json }: JsonOption) => {
      const place = existingFolder(folder);
      const replayed = await withDatabase(async (database) => {
        requireSameDatabase(place, database);
        return replaySpoolFolder(database.pool, place);
      });
      print(json, { folder: place, ...replayed }, () => replayText(place, replayed));
    });

const dropCommand = (): Command =>
  new Command('drop')
    .description('Removes the folder of a spool for good. What it held stays missing in the books.')
    .argument('<folder>', 'the folder')
    .option('--yes', 'really remove it; without it the loss is only named')
    .option('--json', 'print one JSON document instead of text')
    .action(async (folder: string, { yes, json }: JsonOption & { readonly yes?: true }) => {
      const place = existingFolder(folder);
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

function existingFolder(folder: string): string {
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
