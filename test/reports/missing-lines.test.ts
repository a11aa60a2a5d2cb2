import { describe, expect, it } from 'vitest';
import { missingLines } from '#reports/missing-lines';
import { missingScore } from './support/fixtures.ts';

describe('missingLines', () => {
  it('leads with the same reason share a line, in ascending order', () => {
    const leads = [240, 24, 48].map((lead) => missingScore({ lead_hours: lead }));
    expect(missingLines(leads)).toEqual([
      '  era5 24, 48, 240 h: Field 2t of the forecast is not scored. Fault: miner. No retry will come.',
    ]);
  });

  it('different reasons, score types or next attempts have separate lines', () => {
    const day1 = missingScore({ score_type: 'day1', lead_hours: null, fault: null });
    const later = missingScore({
      lead_hours: 48,
      next_retry_time: '2026-11-24T00:00:00.000Z',
      retries_remaining: 3,
    });
    const other = missingScore({ lead_hours: 72, reason: 'no truth', fault: 'upstream' });
    expect(missingLines([missingScore(), day1, later, other])).toEqual([
      '  era5 24 h: Field 2t of the forecast is not scored. Fault: miner. No retry will come.',
      '  day1: Field 2t of the forecast is not scored. No retry will come.',
      '  era5 48 h: Field 2t of the forecast is not scored. Fault: miner. Next try at 2026-11-24T00:00:00.000Z, 3 retries left after it.',
      '  era5 72 h: no truth. Fault: upstream. No retry will come.',
    ]);
  });

  it('no line is printed when no score is missing', () => {
    expect(missingLines([])).toEqual([]);
  });

  it('a wait for truth differs from a retry, and a pending score from a final one', () => {
    const waits = missingScore({
      status: 'waiting_for_truth',
      reason: 'waits for truth: it is not there yet',
      fault: 'upstream',
      next_retry_time: '2026-11-29T06:00:00.000Z',
      retries_remaining: 4,
    });
    const unasked = missingScore({ status: 'seeded', reason: 'not scored yet', fault: null });
    const givenUp = missingScore({ status: 'stale_abandoned', reason: 'the run ended', fault: null });
    expect([waits, unasked, givenUp].flatMap((score) => missingLines([score]))).toEqual([
      '  era5 24 h: waits for truth: it is not there yet. Fault: upstream. Looked for again at 2026-11-29T06:00:00.000Z; no attempt is used.',
      '  era5 24 h: not scored yet. It is still to come.',
      '  era5 24 h: the run ended. No retry will come.',
    ]);
  });

  it('a step of a dead process is announced as repeated, although no retry is scheduled', () => {
    const abandoned = missingScore({ status: 'abandoned', reason: 'the process ended while the step ran' });
    expect(missingLines([abandoned])[0]).toMatch(/while the step ran\. .*A worker does the step again\.$/);
  });
});
