import { Command } from 'commander';
import { migrate } from '#database/migrate';
import { preparePartitions } from '#recorder/partition-scheduler';
import { createOutput } from './terminal/output.ts';
import { withDatabase } from './with-database.ts';

/** `barograph migrate`: applies pending migrations and creates the partitions that are needed next. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Migrates the database to the version of this program.')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: { readonly json?: true }) => {
      const isJson = options.json === true;
      const result = await withDatabase(async ({ pool }) => ({
        ...(await migrate(pool)),
        partitions: await preparePartitions(pool),
      }));
      const applied = result.applied.map(({ version, name }) => `applied ${version} ${name}`);
      const made = result.partitions.map((name) => `created partition ${name}`);
      const text = [...applied, ...made, `The database is at version ${result.version}.`].join('\n');
      createOutput({ isJson }).result(isJson ? JSON.stringify(result, null, 2) : text);
    });
}
