import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SIMULATED_MINER_URLS, startSimulatedMiners } from '#commands/run/simulated-miners';
import { createMinerClient } from '#pipeline/miners/index';
import { INIT_TIME, tinyStore } from '#test/pipeline/support/tiny-world';
import { temporaryFolder } from '#test/support/temporary-folder';
import { TINY_LEADS, writeTinyStore } from '../support/tiny-stores.ts';

const worldOf = async () => ({
  truth: await tinyStore({ leads: TINY_LEADS, error: 0 }),
  climatology: await tinyStore({ leads: TINY_LEADS, error: -1.4 }),
  reference: await tinyStore({ leads: TINY_LEADS, error: 0.4 }),
});

describe('startSimulatedMiners', () => {
  it('the URLs of simulated miners match the pattern by which runs are abandoned', async () => {
    const fleet = await startSimulatedMiners({
      count: 16,
      seed: 1,
      initTime: INIT_TIME,
      leads: TINY_LEADS,
      stores: await worldOf(),
    });
    const pattern = new RegExp(`^${SIMULATED_MINER_URLS.replaceAll('%', '\\d+')}$`);
    for (const { baseUrl } of fleet.miners) expect(baseUrl).toMatch(pattern);
    await fleet.close();
  });

  it('simulated miners with given stores all have the profile good and serve them round-robin', async () => {
    const folder = await temporaryFolder();
    for (const name of ['a.zarr', 'b.zarr'])
      await writeTinyStore(join(folder, name), { phase: name.charCodeAt(0) });
    const fleet = await startSimulatedMiners({
      count: 3,
      seed: 1,
      initTime: INIT_TIME,
      leads: TINY_LEADS,
      stores: await worldOf(),
      forecasts: folder,
    });
    expect(fleet.miners.map(({ profile }) => profile)).toEqual(['good', 'good', 'good']);
    const client = createMinerClient();
    for (const miner of fleet.miners) {
      const reply = await client.initiateFetch(miner, { initTime: INIT_TIME });
      expect(['accepted', 'ready']).toContain(reply.kind);
    }
    await client.close();
    await fleet.close();
  });

  it('a directory of forecasts without a store is refused', async () => {
    const folder = await temporaryFolder();
    const starting = startSimulatedMiners({
      count: 1,
      seed: 1,
      initTime: INIT_TIME,
      leads: TINY_LEADS,
      stores: await worldOf(),
      forecasts: folder,
    });
    await expect(starting).rejects.toThrow('holds no store; name a directory with one or more NAME.zarr');
  });
});
