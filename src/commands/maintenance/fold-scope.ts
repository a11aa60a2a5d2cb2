import type { Command } from 'commander';
import type { FoldRequest } from '#maintenance/maintenance';
import { wholeNumber } from '../terminal/option-parsers.ts';

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
    .option('--validator <hotkey>', 'only this validator')
    .option('--json', 'print one JSON document instead of text');

export const toFoldRequest = ({ run, validator }: ScopeOptions): FoldRequest => ({
  runId: run ?? null,
  validatorHotkey: validator ?? null,
});
