import type { ClientBase } from 'pg';
import type { ObservedSpan } from '#facts/observed-span';
import { readKeyProblems } from '#facts/step-identity';
import { readText } from '#facts/text-values';

/** The number of a span among those of its process, from 1, as a sender of another program gives it. */
const SEQUENCE = 'weather.emitter.sequence';

/** The numbers of one process in a batch. */
interface SenderNumbers {
  readonly validatorHotkey: string;
  readonly instanceId: string;
  readonly received: Set<number>;
  /** Numbers of spans that are new to the log. */
  readonly fresh: Set<number>;
  /** Numbers that two spans of the batch have. */
  readonly reused: Set<number>;
  readonly owners: Map<number, string>;
}

/** A span of a batch, and whether the log had nothing of it. */
export interface ReceivedSpan {
  readonly span: ObservedSpan;
  readonly isNew: boolean;
}

/**
 * Books of senders that number their spans: a number below the newest that never came is a loss between that process and
 * the tables, and a new span under a number that came before tells of two processes with one id. Idempotent, as the books
 * of spools are; senders without numbers have no books.
 */
export async function writeSenderBooks(client: ClientBase, spans: readonly ReceivedSpan[]): Promise<void> {
  const senders = [...groupNumbers(spans)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sender]) => sender);
  if (senders.length === 0) return;
  await client.query(
    `with sent as (
       select validator.id as validator_id, told.*
       from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
         as told (hotkey, instance_id, newest, received, fresh, reused)
       join validators as validator on validator.hotkey = told.hotkey
       order by validator.id, told.instance_id
     ), met as (
       update emitters as emitter
       set reused_sequences = emitter.reused_sequences + sent.fresh::int8multirange * emitter.received
       from sent
       where (emitter.validator_id, emitter.instance_id) = (sent.validator_id, sent.instance_id)
         and emitter.received && sent.fresh::int8multirange
     )
     select 1`,
    parametersOf(senders),
  );
  await client.query(
    `insert into emitters as emitter (validator_id, instance_id, spans, ended_spans, last_sequence, delivered_sequence,
       received, reused_sequences)
     select validator.id, told.instance_id, 0, 0, told.newest, told.newest, told.received::int8multirange,
       told.reused::int8multirange
     from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
       as told (hotkey, instance_id, newest, received, fresh, reused)
     join validators as validator on validator.hotkey = told.hotkey
     order by validator.id, told.instance_id
     on conflict (validator_id, instance_id) do update set
       last_sequence = greatest(emitter.last_sequence, excluded.last_sequence),
       delivered_sequence = greatest(emitter.delivered_sequence, excluded.delivered_sequence),
       received = emitter.received + excluded.received,
       reused_sequences = emitter.reused_sequences + excluded.reused_sequences`,
    parametersOf(senders),
  );
}

function groupNumbers(spans: readonly ReceivedSpan[]): ReadonlyMap<string, SenderNumbers> {
  const senders = new Map<string, SenderNumbers>();
  for (const { span, isNew } of spans) {
    const given = span.attributes[SEQUENCE];
    const sequence = typeof given === 'string' ? readText(given, 'number')?.value : given;
    if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) continue;
    const sender = senderOf(span, senders);
    if (sender === null) continue;
    const owner = sender.owners.get(sequence) ?? span.spanId;
    if (owner !== span.spanId) sender.reused.add(sequence);
    sender.owners.set(sequence, owner);
    sender.received.add(sequence);
    if (isNew) sender.fresh.add(sequence);
  }
  return senders;
}

/** Null for a span that names neither, or in a way that is refused: its numbers are those of nobody. */
function senderOf(span: ObservedSpan, senders: Map<string, SenderNumbers>): SenderNumbers | null {
  const { attributes, resource } = span;
  const hotkey = attributes['weather.validator.hotkey'] ?? resource['weather.validator.hotkey'];
  const instance = resource['service.instance.id'];
  if (typeof hotkey !== 'string' || typeof instance !== 'string' || instance === '') return null;
  if (readKeyProblems(span).length > 0) return null;
  const key = JSON.stringify([hotkey, instance]);
  const known = senders.get(key);
  if (known !== undefined) return known;
  const [received, fresh, reused] = [new Set<number>(), new Set<number>(), new Set<number>()];
  const names = { validatorHotkey: hotkey, instanceId: instance };
  const sender = { ...names, received, fresh, reused, owners: new Map<number, string>() };
  senders.set(key, sender);
  return sender;
}

const parametersOf = (senders: readonly SenderNumbers[]): unknown[] => [
  senders.map(({ validatorHotkey }) => validatorHotkey),
  senders.map(({ instanceId }) => instanceId),
  senders.map(({ received }) => Math.max(...received)),
  senders.map(({ received }) => multirangeOf(received)),
  senders.map(({ fresh }) => multirangeOf(fresh)),
  senders.map(({ reused }) => multirangeOf(reused)),
];

/** Text of an `int8multirange`, which merges what is adjacent. */
const multirangeOf = (numbers: ReadonlySet<number>): string =>
  `{${[...numbers].map((number) => `[${number},${number}]`).join(',')}}`;
