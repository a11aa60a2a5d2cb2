import { Command } from 'commander';
import { rebuild } from '#maintenance/maintenance';
import { printableText } from '#semconv/printable-text';
import { toFoldRequest, withScopeOptions, type ScopeOptions } from './fold-scope.ts';
import { createOutput } from '../terminal/output.ts';
import { withDatabase } from '../with-database.ts';

const HELP = `
A rebuild is one transaction. Readers see the old rows until it commits. Writers
of the validators wait meanwhile; their records stay in the spools and are
written afterwards.
The log, the books of the processes and dead_letter_spans do not change.`;

/** `barograph rebuild`: recomputes the projections from the log. */
export function rebuildCommand(): Command {
  return withScopeOptions(new Command('rebuild'))
    .description(
      'Recomputes the projected tables (runs, responses, forecasts, miners, job logs) from the log.',
    )
    .addHelpText('after', HELP)
    .action(async (options: ScopeOptions) => {
      const isJson = options.json === true;
      const startedAt = performance.now();
      const { logRows, rows, validatorHotkey } = await withDatabase(async ({ pool }) => {
        const request = await toFoldRequest(pool, options);
        return { ...(await rebuild(pool, request)), ...request };
      });
      const seconds = (performance.now() - startedAt) / 1000;
      const document = {
        validator_hotkey: validatorHotkey,
        log_rows: logRows,
        rows,
        took_seconds: seconds,
      };
      const ofValidator = validatorHotkey === null ? '' : ` of validator ${printableText(validatorHotkey)}`;
      const lines = Object.entries(rows).map(
        ([table, count]) => `${table}: ${count} ${count === 1 ? 'row' : 'rows'}`,
      );
      const text = [
        ...lines,
        `Rebuilt from ${logRows} rows of the log${ofValidator} in ${seconds.toFixed(1)} s.`,
      ].join('\n');
      createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : text);
    });
}
