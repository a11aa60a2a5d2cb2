import { describe, expect, it } from 'vitest';
import { measure } from '#bench/harness/measure';
import { comparisonText, short } from '#bench/harness/report';
import { median, quantile } from '#bench/harness/statistics';

describe('Quantiles', () => {
  it('a quantile between two numbers is interpolated linearly', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1])).toBe(2.5);
    expect(quantile([0, 10, 20, 30, 40], 0.99)).toBeCloseTo(39.6, 12);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

/** A side that returns these numbers, one a round, and records its calls. */
function scripted(name: string, numbers: readonly number[], asked: string[]) {
  const left = [...numbers];
  return () => {
    asked.push(name);
    return left.shift() ?? NaN;
  };
}

describe('Comparison', () => {
  it('each side is measured once a round, and another one begins each time', async () => {
    const asked: string[] = [];
    const sides = { ours: scripted('ours', [1, 2, 3], asked), bare: scripted('bare', [1, 1, 1], asked) };
    await measure('suite', { name: 'n', unit: 'ns', sides, targets: [] }, 3);
    expect(asked).toEqual(['ours', 'bare', 'bare', 'ours', 'ours', 'bare']);
  });

  it('targets are compared with the medians, and the range of single rounds is reported', async () => {
    const sides = { ours: scripted('', [10, 40, 20], []), bare: scripted('', [10, 10, 10], []) };
    const ratio = { what: 'times bare', value: ({ ours = NaN, bare = NaN }) => ours / bare };
    const comparison = {
      name: 'n',
      unit: 'ns',
      sides,
      targets: [
        { ...ratio, atMost: 2 },
        { ...ratio, atLeast: 2.5 },
      ],
    };
    const { targets } = await measure('suite', comparison, 3);
    expect(targets).toMatchObject([
      { value: 2, min: 1, max: 4, held: true },
      { value: 2, held: false },
    ]);
  });

  it('a target that could not be measured does not count as held, and the report shows it', async () => {
    const target = { what: '', value: () => NaN, atMost: 1 };
    const result = await measure(
      's',
      { name: 'n', unit: 'ns', sides: { ours: () => 1 }, targets: [target] },
      1,
    );
    expect(result.targets[0]?.held).toBe(false);
    expect(comparisonText(result)).toMatch(/ not measured$/);
  });

  it('the report of a comparison lists its sides and its targets', async () => {
    const sides = { ours: () => 1234.5, 'psql \\copy': () => 2000 };
    const target = {
      what: 'share of \\copy',
      unit: '×',
      value: (by: Record<string, number>) => (by['ours'] ?? NaN) / 2000,
      atLeast: 0.6,
    };
    const result = await measure('s', { name: 'rows', unit: 'rows/s', sides, targets: [target] }, 1);
    expect(comparisonText(result)).toBe(`rows
  rows/s      median  lowest  highest  each round
  ──────────  ──────  ──────  ───────  ──────────
  ours         1,235   1,235    1,235  1,235
  psql \\copy   2,000   2,000    2,000  2,000
  what               is  rounds gave  target  held
  ──────────────  ─────  ───────────  ──────  ────
  share of \\copy  0.62×    0.62–0.62  ≥ 0.6×  yes`);
  });
});

describe('Numbers of a report', () => {
  it.each([
    [12_345.6, '12,346'],
    [99.94, '99.9'],
    [1.234, '1.23'],
    [0, '0.00'],
    [NaN, '–'],
  ])('the number %s is shown as %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});
