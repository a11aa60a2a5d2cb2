import { describe, expect, it } from 'vitest';
import { joinLines, labelText, sampleLine } from '#prometheus/sample-line';
import { METRICS } from '#semconv/metrics';

describe('the line of a series', () => {
  it('the line of a series has name, labels and value, and no braces without labels', () => {
    const labels = labelText({ validator_id: '1', miner_hotkey: '5A' });
    expect(sampleLine(METRICS.minerRank, labels, 3)).toBe(
      'barograph_miner_rank{validator_id="1",miner_hotkey="5A"} 3',
    );
    expect(sampleLine(METRICS.minerRank, labelText({}), 0.5)).toBe('barograph_miner_rank 0.5');
  });

  it('the line of a series escapes what would break it', () => {
    expect(labelText({ reason: 'a"b\\c\nd' })).toBe('{reason="a\\"b\\\\c\\nd"}');
  });

  it('the line of a series is none for a number that is none, and for a counter below 0', () => {
    for (const value of [NaN, Infinity, -Infinity]) expect(sampleLine(METRICS.minerRank, '', value)).toBe('');
    expect(sampleLine(METRICS.minerErrors, '', -1)).toBe('');
    expect(sampleLine(METRICS.minerRank, '', -1)).toBe('barograph_miner_rank -1');
    expect(joinLines(['', 'a 1', '', 'b 2'])).toBe('a 1\nb 2');
  });
});
