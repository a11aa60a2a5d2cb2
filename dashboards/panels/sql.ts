/**
 * The variables of a dashboard as SQL. Each is interpolated as a quoted text and cast afterwards, which prevents SQL
 * injection through the address; a variable without a value is null, and the panel empty.
 */
export const SQL_VARIABLES = {
  validator: "nullif(${validator:sqlstring}, '')::integer",
  run: "nullif(${run:sqlstring}, '')::bigint",
  miner: "nullif(${miner:sqlstring}, '')",
} as const;

const { validator, run, miner } = SQL_VARIABLES;

/** The rows of the chosen run, of a table or view with the columns `validator_id` and `run_id`. */
export const ofRun = (alias: string): string =>
  `${alias}.validator_id = ${validator} and ${alias}.run_id = ${run}`;
/** The rows of the chosen miner in the chosen run. */
export const ofMinerInRun = (alias: string): string => `${ofRun(alias)} and ${alias}.miner_hotkey = ${miner}`;
/** The rows of the chosen miner, over all runs. */
export const ofMiner = (alias: string): string =>
  `${alias}.validator_id = ${validator} and ${alias}.miner_hotkey = ${miner}`;
/** The rows of the chosen validator. */
export const ofValidator = (alias: string): string => `${alias}.validator_id = ${validator}`;

/**
 * The trace of a row for a column that links it, of a table or view with the columns `validator_id` and `trace_id`. Null
 * where no trace store has it, so that no link leads nowhere.
 */
export const linkedTrace = (alias: string): string =>
  `case when not exists (select from unsampled_traces as unsampled
    where (unsampled.validator_id, unsampled.trace_id) = (${alias}.validator_id, ${alias}.trace_id)) then ${alias}.trace_id end`;
