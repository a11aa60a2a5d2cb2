import type { Command } from 'commander';
import type { Pool } from 'pg';
import type { FoldRequest } from '#maintenance/maintenance';
import { resolveValidator, runSubject } from '#reports/resolve-validator';
import { validatorOption, wholeNumber } from '../terminal/option-parsers.ts';

/** The run or validator whose projections a command is about. */
export interface ScopeOptions {
  readonly run?: number;
  readonly validator?: string;
  readonly json?: true;
}

/** Adds the options that `toFoldRequest` reads. */
export const withScopeOptions = (command: Command): Command =>
  command
    .option('--run <id>', 'only this run and its miners', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(validatorOption('only this validator; needed where several have a run of that number'))
    .option('--json', 'print one JSON document instead of text');

/** @throws CategorizedError when the validator is unknown, or the run is of several */
export async function toFoldRequest(pool: Pool, { run, validator }: ScopeOptions): Promise<FoldRequest> {
  const subject = run === undefined ? null : runSubject(run);
  return { runId: run ?? null, validatorHotkey: await resolveValidator(pool, validator, subject) };
}
