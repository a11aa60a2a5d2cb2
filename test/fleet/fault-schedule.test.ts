import { describe, expect, it } from 'vitest';
import { FAULTS, faultOf, ROUTES } from '#fleet/fault-schedule';
import { PROFILES } from '#fleet/profile';
import { makeSimulatedMiner } from '#fleet/simulated-miner';

describe('the faults of a flaky miner', () => {
  it('all come up among its first polls, in an order that follows from its seed', () => {
    const orders = Array.from({ length: 12 }, (_, uid) => {
      const miner = makeSimulatedMiner(1, uid, 'flaky');
      return [1, 2, 3].map((poll) => faultOf(miner, 'poll_job_status', poll));
    });
    for (const order of orders) expect(new Set(order)).toEqual(new Set(FAULTS));
    expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(1);
  });

  it('the faults of a flaky miner leave a validator with 4 attempts room to succeed on every route', () => {
    const miner = makeSimulatedMiner(1, 0, 'flaky');
    for (const route of ROUTES) {
      expect(faultOf(miner, route, 1)).not.toBeNull();
      expect(faultOf(miner, route, 4)).toBeNull();
    }
    expect(faultOf(miner, 'kerchunk_request', 2) ?? faultOf(miner, 'forecast_file', 2)).toBeNull();
  });

  it('the faults of a flaky miner are those of no other miner', () => {
    for (const profile of PROFILES.filter((name) => name !== 'flaky')) {
      expect(faultOf(makeSimulatedMiner(1, 0, profile), 'poll_job_status', 1)).toBeNull();
    }
  });
});
