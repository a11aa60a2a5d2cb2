import { describe, expect, it } from 'vitest';
import { FAULTS, faultOf, ROUTES } from '#fleet/fault-schedule';
import { PROFILES } from '#fleet/profile';
import { makeSimulatedMiner } from '#fleet/simulated-miner';

describe('fault schedule', () => {
  it('every fault occurs among the first polls of a flaky miner, in an order given by its seed', () => {
    const orders = Array.from({ length: 12 }, (_, uid) => {
      const miner = makeSimulatedMiner(1, uid, 'flaky');
      return [1, 2, 3].map((poll) => faultOf(miner, 'poll_job_status', poll));
    });
    for (const order of orders) expect(new Set(order)).toEqual(new Set(FAULTS));
    expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(1);
  });

  it('a validator with 4 attempts succeeds on every route of a flaky miner', () => {
    const miner = makeSimulatedMiner(1, 0, 'flaky');
    for (const route of ROUTES) {
      expect(faultOf(miner, route, 1)).not.toBeNull();
      expect(faultOf(miner, route, 4)).toBeNull();
    }
    expect(faultOf(miner, 'kerchunk_request', 2) ?? faultOf(miner, 'forecast_file', 2)).toBeNull();
  });

  it('a miner of any other profile has no faults', () => {
    for (const profile of PROFILES.filter((name) => name !== 'flaky')) {
      expect(faultOf(makeSimulatedMiner(1, 0, profile), 'poll_job_status', 1)).toBeNull();
    }
  });
});
