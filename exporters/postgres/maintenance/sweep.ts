import type { ClientBase, Pool } from 'pg';
import { closeFact } from '#facts/closing';
import { isoOfMicros } from '#facts/instants';
import type { EpochMicros } from '#facts/step-fact';
import { CategorizedError } from '#semconv';
import { printableText, printableValue } from '#semconv/printable-text';
import { Partitions, STEP_PARTITIONS } from '../log/partitions.ts';
import { readRunningFacts, type ValidatorIdentity } from '../log/read-log.ts';
import { epochMicros } from '../sql/sql-values.ts';
import { lockValidators } from '../log/validators.ts';
import { writeBatch } from '../write-batch.ts';

/** Which processes are swept. */
export interface SweepRequest {
  readonly olderThanMillis: number;
  /** Null: every process that sends heartbeats. A process that sends none is swept only by name. */
  readonly instanceId: string | null;
  /** Null: of all validators. */
  readonly validatorHotkey: string | null;
}

/** A process presumed dead: its last heartbeat is older than the limit. */
export interface SilentEmitter extends ValidatorIdentity {
  readonly instanceId: string;
  /** Last heartbeat: the latest instant at which its steps are known to have run. */
  readonly heardAt: EpochMicros;
  /** Number of its running steps. */
  readonly running: number;
}

/** Last heartbeat of a process, or its last span when it sends none and is named; otherwise null. */
const HEARD_AT = `case when emitter.heartbeat_at is null and emitter.instance_id = $2
  then emitter.last_seen else emitter.heartbeat_at end`;

/** The timeout also counts from the start of the database, which received no heartbeats while it was down. */
const IS_SILENT = `${HEARD_AT} is not null and greatest(${HEARD_AT}, pg_postmaster_start_time())
  < now() - $1 * interval '1 millisecond' and ($2::text is null or emitter.instance_id = $2)`;

/** Uptime of the database, milliseconds: the upper bound for how long a process can have been silent. */
export async function readUpMillis(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ millis: number }>(
    'select (extract(epoch from now() - pg_postmaster_start_time()) * 1000)::float8 as millis',
  );
  return rows[0]?.millis ?? 0;
}

/** Finds silent processes with running steps. Takes no locks: each may still send a heartbeat afterwards. */
export async function findSilentEmitters(
  client: ClientBase | Pool,
  { olderThanMillis, instanceId, validatorHotkey }: SweepRequest,
): Promise<readonly SilentEmitter[]> {
  const { rows } = await client.query<SilentEmitter>(
    `select validator.id as "validatorId", validator.hotkey as "validatorHotkey", emitter.instance_id as "instanceId",
       ${epochMicros(HEARD_AT)} as "heardAt", count(*)::float8 as running
     from emitters as emitter
     join validators as validator on validator.id = emitter.validator_id
     join weather_forecast_steps_running as step
       on (step.validator_id, step.instance_id) = (emitter.validator_id, emitter.instance_id)
     where ${IS_SILENT} and ($3::text is null or validator.hotkey = $3)
     group by validator.id, emitter.validator_id, emitter.instance_id
     order by validator.id, emitter.instance_id`,
    [olderThanMillis, instanceId, validatorHotkey],
  );
  return rows;
}

/**
 * Writes closings (synthetic ends) for the running steps of a silent process; returns their number, or null when a
 * heartbeat has arrived since it was found. The caller opens and commits the transaction.
 *
 * The row of the process stays locked meanwhile, so that no heartbeat can come in between. Lock order: partitions,
 * validator, emitter, as in `writeBatch`.
 */
export async function sweepEmitter(
  client: ClientBase,
  emitter: SilentEmitter,
  request: SweepRequest,
): Promise<number | null> {
  const partitions = new Partitions();
  const seen = await readRunningFacts(client, emitter, emitter.instanceId);
  await partitions.ensure(
    client,
    STEP_PARTITIONS,
    seen.map(({ startedAt }) => startedAt),
  );
  await lockValidators(client, [emitter.validatorHotkey]);
  const heardAt = await lockSilent(client, emitter, request);
  if (heardAt === null) return null;
  const running = await readRunningFacts(client, emitter, emitter.instanceId);
  const ended = running.map((fact) => closeFact(fact, { reason: 'heartbeat_lost', at: heardAt }));
  await writeBatch(client, { ended, started: [], closings: ended, rejected: [], sources: [] }, partitions);
  return ended.length;
}

/** Locks a process that is still silent and returns its last heartbeat; null when it is no longer silent. */
async function lockSilent(
  client: ClientBase,
  { validatorId, instanceId }: SilentEmitter,
  request: SweepRequest,
): Promise<EpochMicros | null> {
  const { rows } = await client.query<{ heardAt: EpochMicros }>(
    `select ${epochMicros(HEARD_AT)} as "heardAt" from emitters as emitter
     where (emitter.validator_id, emitter.instance_id) = ($3, $4) and ${IS_SILENT} for update`,
    [request.olderThanMillis, request.instanceId, validatorId, instanceId],
  );
  return rows[0]?.heardAt ?? null;
}

/** @throws CategorizedError when the validator has no process of that name, with the newest that are known */
export async function requireEmitter(
  client: ClientBase | Pool,
  { instanceId, validatorHotkey }: { readonly instanceId: string; readonly validatorHotkey: string | null },
): Promise<void> {
  const { rows } = await client.query<{
    instanceId: string;
    hotkey: string;
    lastSeen: EpochMicros | null;
    isNamed: boolean;
  }>(
    `select instance_id as "instanceId", hotkey, instance_id = $1 as "isNamed",
       ${epochMicros('greatest(last_seen, heartbeat_at)')} as "lastSeen"
     from emitters join validators on validators.id = emitters.validator_id
     where $2::text is null or hotkey = $2
     order by instance_id = $1 desc, greatest(last_seen, heartbeat_at) desc nulls last limit 10`,
    [instanceId, validatorHotkey],
  );
  if (rows.some(({ isNamed }) => isNamed)) return;
  const known = printableValue(rows).map(({ instanceId: id, hotkey, lastSeen }) =>
    lastSeen === null ? `${id} of ${hotkey}` : `${id} of ${hotkey} (${isoOfMicros(lastSeen)})`,
  );
  const there = known.length === 0 ? 'None is.' : `The newest that are: ${known.join(', ')}.`;
  const ofValidator = validatorHotkey === null ? '' : ` of validator ${printableText(validatorHotkey)}`;
  throw new CategorizedError('not_found', `No process ${instanceId}${ofValidator} is known. ${there}`);
}
