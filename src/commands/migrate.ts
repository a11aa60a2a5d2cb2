import { Command } from 'commander';
import { migrate } from '../database/migrate.ts';
import { createOutput } from './output.ts';
import { withDatabase } from './with-database.ts';

/** `barograph migrate`: brings the database up to date. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Brings the database to the version of this program.')
    .option('--json', 'print one JSON document instead of words')
    .action(async (options: { readonly json?: true }) => {
      const isJson = options.json === true;
      const result = await withDatabase(({ pool }) => migrate(pool));
      const lines = result.applied.map(({ version, name }) => `applied ${version} ${name}`);
      const words = [...lines, `The database is at version ${result.version}.`].join('\n');
      createOutput({ isJson }).result(isJson ? JSON.stringify(result, null, 2) : words);
    });
}
