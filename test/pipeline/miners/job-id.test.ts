import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJobId } from '#pipeline/miners/protocol';
import { HOTKEY, JOB_ID } from './scripted-miner.ts';

const T0 = new Date('2025-11-26T00:00:00Z');

describe('toJobId', () => {
  it('a job id equals that of the test vector', () => {
    expect(toJobId(T0, HOTKEY)).toBe(JOB_ID);
  });

  it('a job id is always a UUID of version 4', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
        fc.string(),
        (t0, key) => {
          expect(toJobId(t0, key)).toMatch(
            /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
          );
        },
      ),
    );
  });

  it('job ids differ between cycles and between miners, so that a shared job is detected', () => {
    expect(toJobId(new Date('2025-11-26T06:00:00Z'), HOTKEY)).not.toBe(JOB_ID);
    expect(toJobId(T0, `${HOTKEY}x`)).not.toBe(JOB_ID);
  });
});
