import type { ClientBase } from 'pg';

/**
 * The numbers of the validators named, new ones included, each row locked until the transaction ends. The lock makes
 * the writers of one validator take turns, so that a fold may be read, changed and written without a lost update.
 */
export async function lockValidators(
  client: ClientBase,
  hotkeys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const sorted = [...new Set(hotkeys)].sort();
  const known = await lockKnown(client, sorted);
  if (known.size === sorted.length) return known;
  // Only now: an insert that meets a conflict uses up a number all the same.
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
