import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { createPostgresExporter } from '#postgres/exporter';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

/** The span of a sender that numbers its spans, or does not. */
function sent(
  at: number,
  sequence: number | string | null,
  instance = 'python-1',
  status = 'succeeded',
): ObservedSpan {
  const span = endedSpan({ step: 'query', at, status });
  const number = sequence === null ? {} : { 'weather.emitter.sequence': sequence };
  return {
    ...span,
    attributes: { ...span.attributes, ...number },
    resource: { ...span.resource, 'service.instance.id': instance },
  };
}

async function write(...batches: readonly (readonly ObservedSpan[])[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const batch of batches) expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
}

async function books() {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `select missing_sequences as missing, emitter_conflicts as conflicts, sender_loss, unaccounted::int, recorded::int
     from run_completeness`,
  );
  return rows[0];
}

describe('the books of senders over OTLP', () => {
  it('a sender that does not number its spans leaves it unknown whether all of them came', async () => {
    await write([sent(1, null), sent(2, null)]);
    expect(await books()).toMatchObject({
      unaccounted: 0,
      missing: null,
      sender_loss: 'unknown: 1 of the processes do not number their spans (weather.emitter.sequence)',
    });
  });

  it('a sender that numbers its spans is complete when all numbers came, in any order and more than once', async () => {
    const spans = [1, 2, 3, 4].map((number) => sent(number, number));
    await write([...spans].reverse(), spans, [startOfSpan(sent(1, 1))]);
    expect(await books()).toEqual({
      recorded: 4,
      unaccounted: 0,
      missing: null,
      conflicts: null,
      sender_loss: null,
    });
  });

  it('numbers that a sender writes as texts count, as those of the steps do', async () => {
    await write([sent(1, '1'), sent(2, '2.0'), sent(4, 4)]);
    expect(await books()).toMatchObject({
      recorded: 3,
      missing: { 'python-1': '{[3,4)}' },
      sender_loss: null,
    });
  });

  it('a number under an instance whose name is refused spoils no batch, and is in no books', async () => {
    const noise = Array.from({ length: 4000 }, (_, n) =>
      String.fromCharCode(33 + ((n * n * 7919) % 90)),
    ).join('');
    await write([sent(1, 1), sent(2, 2, noise), sent(3, 3, 'python-1\0')]);
    expect(await books()).toMatchObject({ recorded: 1, missing: null });
  });

  it('a number that never came is missing until it comes, although the counts are clean', async () => {
    await write([sent(1, 1), sent(4, 4)]);
    expect(await books()).toMatchObject({ unaccounted: 0, missing: { 'python-1': '{[2,4)}' } });
    await write([sent(3, 3)], [sent(2, 2)]);
    expect(await books()).toMatchObject({ missing: null, sender_loss: null });
  });

  it('a numbered span that became a dead letter has come', async () => {
    await write([sent(1, 1), sent(2, 2, 'python-1', 'finished'), sent(3, 3)]);
    expect(await books()).toMatchObject({ missing: null });
  });

  it('two processes that use the same numbers under one instance are in conflict', async () => {
    await write([sent(1, 1), sent(2, 2)], [sent(11, 1), sent(12, 2)]);
    const { conflicts } = (await books()) ?? {};
    expect(JSON.stringify(conflicts)).toContain('the numbers {[1,3)} arrived again with other spans');
  });

  it('the senders that leave a run unknown are those of unnumbered_senders', async () => {
    await write([sent(1, 1), sent(2, null, 'java-1'), sent(3, null, 'go-1'), sent(4, null, 'go-1')]);
    const { rows } = await database.pool.query(
      `select instance_id, spans::int, validator_hotkey from unnumbered_senders order by instance_id`,
    );
    expect(rows).toEqual([
      { instance_id: 'go-1', spans: 2, validator_hotkey: '5Validator' },
      { instance_id: 'java-1', spans: 1, validator_hotkey: '5Validator' },
    ]);
    expect((await books())?.['sender_loss']).toMatch(/^unknown: 2 of the processes/);
  });

  it('one of several senders without numbers is enough to leave the run unknown', async () => {
    await write([sent(1, 1), sent(2, null, 'java-1')]);
    const { sender_loss } = (await books()) ?? {};
    expect(sender_loss).toMatch(/^unknown: 1 of the processes/);
  });
});
