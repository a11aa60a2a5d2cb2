import { Command } from 'commander';
import { migrate } from '#database/migrate';
import { describeFailure, recomputeOutdated } from '#maintenance/maintenance';
import { preparePartitions } from '#recorder/partition-scheduler';
import { createOutput } from './terminal/output.ts';
import { withDatabase } from './with-database.ts';

/** `barograph migrate`: applies pending migrations, computes outdated rows again and creates the next partitions. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Migrates the database to the version of this program.')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: { readonly json?: true }) => {
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      const onProgress = ({ left }: { readonly left: number }): void =>
        output.progress(`computing rows of an earlier version again, ${left} runs and validators left …`);
      const result = await withDatabase(async ({ pool }) => ({
        ...(await migrate(pool)),
        partitions: await preparePartitions(pool),
        recomputed: await recomputeOutdated(pool, {
          onProgress,
          onFailure: (failure) => output.problem(`${describeFailure(failure)}. It stays marked.`),
        }),
      }));
      const applied = result.applied.map(({ version, name }) => `applied ${version} ${name}`);
      const made = result.partitions.map((name) => `created partition ${name}`);
      const recomputed =
        result.recomputed === 0
          ? []
          : [`computed the rows of ${result.recomputed} runs and validators again from the log`];
      const end = `The database is at version ${result.version}.`;
      const text = [...applied, ...made, ...recomputed, end].join('\n');
      output.result(isJson ? JSON.stringify(result, null, 2) : text);
    });
}
