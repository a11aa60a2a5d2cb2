import { describe, expect, it } from 'vitest';
import { joinLines, labelText, sampleLine } from '#prometheus/sample-line';
import { METRICS } from '#semconv/metrics';

describe('sampleLine', () => {
  it('a line has name, labels and value, and no braces without labels', () => {
    const labels = labelText({ validator_id: '1', miner_hotkey: '5A' });
    expect(sampleLine(METRICS.minerRank, labels, 3)).toBe(
      'barograph_miner_rank{validator_id="1",miner_hotkey="5A"} 3',
    );
    expect(sampleLine(METRICS.minerRank, labelText({}), 0.5)).toBe('barograph_miner_rank 0.5');
  });

  it('characters that would break a line are escaped', () => {
    expect(labelText({ reason: 'a"b\\c\nd' })).toBe('{reason="a\\"b\\\\c\\nd"}');
  });

  it('a value that is not finite, or a negative counter, has no line', () => {
    for (const value of [NaN, Infinity, -Infinity]) expect(sampleLine(METRICS.minerRank, '', value)).toBe('');
    expect(sampleLine(METRICS.minerErrors, '', -1)).toBe('');
    expect(sampleLine(METRICS.minerRank, '', -1)).toBe('barograph_miner_rank -1');
    expect(joinLines(['', 'a 1', '', 'b 2'])).toBe('a 1\nb 2');
  });
});
