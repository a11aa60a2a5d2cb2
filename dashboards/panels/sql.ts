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
 * The trace of a row of the chosen run, for a column that links it. Null where no trace store has it, so that no link leads
 * nowhere. The set is read once for all rows, by the index of the run.
 */
export const linkedTrace = (alias: string): string =>
  `case when ${alias}.trace_id not in (select unsampled.trace_id from unsampled_traces as unsampled
    where ${ofRun('unsampled')}) then ${alias}.trace_id end`;

/**
 * The same where the rows are of many runs, for a few hundred of them. A scalar subquery: PostgreSQL would hash the whole log
 * for `exists`.
 */
export const linkedTraceOfRow = (alias: string): string =>
  `case when (select true from unsampled_traces as unsampled
    where (unsampled.validator_id, unsampled.run_id, unsampled.trace_id)
      = (${alias}.validator_id, ${alias}.run_id, ${alias}.trace_id)) is null then ${alias}.trace_id end`;
