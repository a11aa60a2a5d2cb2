import { describe, expect, it } from 'vitest';
import { formatRunReport } from '#reports/run-table';
import { minerReport, runReport } from './support/fixtures.ts';

const linesOf = (text: string): string[] => text.split('\n');

describe('formatRunReport', () => {
  it('the report has the miners, the recorded rows and their completeness', () => {
    const second = minerReport({ rank: 2, uid: 11, hotkey: '5FXEwHvyXabc', retries: 2 });
    expect(formatRunReport(runReport({ miners: [minerReport(), second] }))).toBe(`\
Run 3 of validator 5Validator, T0 2026-11-23T00:00:00.000Z: completed in 12.9 s

rank  uid  miner     forecast   stage     score   day1   era5  leads    acc  retries  last error
────  ───  ────────  ─────────  ────────  ─────  ─────  ─────  ─────  ─────  ───────  ──────────
   1    7  5ER5JmF…  completed  complete  0.807  0.965  0.797      2  0.872        0
   2   11  5FXEwHv…  completed  complete  0.807  0.965  0.797      2  0.872        2

recorded table          rows
──────────────────────  ────
weather_forecast_runs      1
weather_forecast_steps   577

Spans: 577 started, 577 recorded, 0 in flight`);
  });

  it('a loss that nobody can know of is said beside the counts', () => {
    const completeness = {
      ...runReport().completeness,
      sender_loss: 'unknown: 1 of the processes do not number',
    };
    expect(linesOf(formatRunReport({ ...runReport(), completeness })).at(-1)).toBe(
      'Spans: 577 started, 577 recorded, 0 in flight; lost before the recorder: unknown: 1 of the processes do not number',
    );
  });

  it('a score of zero is printed as 0.000, and a missing one as a dash', () => {
    const zero = minerReport({ overall_forecast_score: 0, day1_score: null });
    const [, , , , row = ''] = linesOf(formatRunReport(runReport({ miners: [zero] })));
    expect(row).toMatch(/complete {2}0\.000 +– {2}0\.797/);
  });

  it('the category of an error is in the table, and its message below', () => {
    const failed = minerReport({
      forecast_status: 'failed',
      last_error: 'the miner answered with HTTP 503',
      error_type: 'http_5xx',
    });
    const lines = linesOf(formatRunReport(runReport({ miners: [minerReport(), failed] })));
    expect(lines[5]).toMatch(/ http_5xx$/);
    expect(lines).toContain('  miner 7: the miner answered with HTTP 503');
  });

  it('the column of profiles is printed only for simulated miners', () => {
    expect(formatRunReport(runReport())).not.toContain('plays');
    const simulated = formatRunReport(runReport({ miners: [minerReport({ profile: 'flaky' })] }));
    expect(linesOf(simulated)[2]).toContain('miner     plays  forecast');
    expect(linesOf(simulated)[4]).toContain('5ER5JmF…  flaky  completed');
  });

  it('variables without a score are printed with the number of forecasts', () => {
    const lacking = minerReport({ missing_variables: ['msl', 'z'] });
    const text = formatRunReport(runReport({ miners: [lacking, minerReport(), lacking] }));
    expect(text).toContain('lacks it:\n  2 of 3 forecasts: msl, z\n');
  });

  it('the error of a failed run is printed', () => {
    const run = {
      ...runReport().run,
      status: 'failed',
      error: 'GFS could not be read',
      duration_seconds: null,
    };
    expect(linesOf(formatRunReport(runReport({ run }))).slice(0, 2)).toEqual([
      'Run 3 of validator 5Validator, T0 2026-11-23T00:00:00.000Z: failed',
      'Error: GFS could not be read',
    ]);
  });

  it('no line is wider than 140 characters, whatever the miners send', () => {
    const worst = minerReport({
      rank: 256,
      uid: 255,
      profile: 'rejecting',
      stage: 'inference_running_100%',
      retries: 1234,
      last_error: 'x'.repeat(500),
      error_type: 'verification_freeze_window',
      missing_variables: Array.from({ length: 69 }, (_, index) => `variable${index}`),
    });
    const run = { ...runReport().run, validator_hotkey: 'v'.repeat(500), error: 'y'.repeat(500) };
    const lines = linesOf(formatRunReport(runReport({ run, miners: [worst] })));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(140);
  });
});
