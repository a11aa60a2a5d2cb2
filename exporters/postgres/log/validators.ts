import type { ClientBase } from 'pg';

/**
 * Row locks on validators, taken in the order of their ids and held until the transaction ends; returns id by hotkey
 * and inserts unknown ones. The lock serializes the writers of one validator, so that read-modify-write of a fold loses
 * no update.
 */
export async function lockValidators(
  client: ClientBase,
  hotkeys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const sorted = [...new Set(hotkeys)].sort();
  const known = await lockKnown(client, sorted);
  if (known.size === sorted.length) return known;
  // Only for unknown hotkeys: an insert consumes a sequence value even when it conflicts.
  await client.query(
    'insert into validators (hotkey) select * from unnest($1::text[]) on conflict (hotkey) do nothing',
    [sorted.filter((hotkey) => !known.has(hotkey))],
  );
  return lockKnown(client, sorted);
}

async function lockKnown(
  client: ClientBase,
  hotkeys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ id: number; hotkey: string }>(
    'select id, hotkey from validators where hotkey = any ($1) order by id for no key update',
    [hotkeys],
  );
  return new Map(rows.map(({ hotkey, id }) => [hotkey, id]));
}
