import { describe, expect, it } from 'vitest';
import { deflateSync } from 'node:zlib';
import { formatNumber } from '#scripts/draw/formats';
import { longToWide, partitionByValues, type Frame } from '#scripts/draw/frames';
import { drawDashboard, DRAWERS } from '#scripts/draw/page';
import { smallPng } from '#scripts/draw/small-png';
import { GENERATED, panelsOf } from '#scripts/dashboards/generated';

const CHOICE = {
  variables: { validator: '1', run: '2', miner: '5F' },
  from: new Date(0),
  to: new Date(60_000),
};
const [NOON, LATER] = [43_200_000, 43_260_000];

/** One row with a time, a text and a number under every name that the panel speaks of. */
function answerFor(panel: ReturnType<typeof panelsOf>[number]): readonly Frame[] {
  const named = panel.fieldConfig.overrides.map(({ matcher }) => matcher.options);
  const option = (name: string) => (typeof panel.options[name] === 'string' ? [panel.options[name]] : []);
  const names = [...new Set([...named, 'value'])].filter((name) => !option('xField').includes(name));
  return [
    {
      fields: [
        { name: 'time', type: 'time', values: [NOON, LATER] },
        ...option('xField').map((name) => ({ name, type: 'number' as const, values: [24, 48] })),
        ...names.map((name) => ({ name, type: 'number' as const, values: [0.5, null] })),
      ],
    },
  ];
}

describe('drawDashboard', () => {
  it('every generated panel type can be drawn', () => {
    const types = new Set(GENERATED.flatMap(panelsOf).map(({ type }) => type));
    expect([...types].filter((type) => !(type in DRAWERS))).toEqual([]);
    expect(types.size).toBeGreaterThan(5);
  });

  it.each(GENERATED)(
    "dashboard $uid is drawn with each panel's title, with values and without",
    (dashboard) => {
      const panels = panelsOf(dashboard);
      const full = Object.fromEntries(panels.map((panel) => [panel.id, answerFor(panel)]));
      for (const answers of [full, {}]) {
        const { html } = drawDashboard(dashboard, answers, CHOICE);
        expect(html.match(/<section/g)).toHaveLength(panels.length);
        expect(html).toContain('not by Grafana');
        expect(html).not.toMatch(/NaN|undefined|Infinity/);
      }
      const empty = drawDashboard(dashboard, {}, CHOICE).html;
      expect(empty.match(/class="nothing"/g)).toHaveLength(panels.length);
    },
  );
});

describe('numbers in the units of panels', () => {
  it.each([
    [0.7345, 'percentunit', 1, '73.5%'],
    [0.0042, 's', undefined, '4.2 ms'],
    [5.14, 's', undefined, '5.14 s'],
    [5400, 's', undefined, '1.5 hour'],
    [1727, 'ms', 1, '1.7 s'],
    [3 * 1024 ** 2, 'bytes', undefined, '3 MiB'],
    [2500, 'cpm', undefined, '2.5 K c/m'],
    [NOON, 'dateTimeAsIso', undefined, '1970-01-01 12:00:00'],
    [NOON, 'time:YYYY-MM-DD HH[Z]', undefined, '1970-01-01 12Z'],
    [240, 'suffix: h', 0, '240 h'],
    [12.5, 'none', undefined, '12.5'],
  ])('the value %s in %s is formatted with its unit', (value, unit, decimals, text) => {
    expect(formatNumber(value, unit, decimals)).toBe(text);
  });

  it('an unknown unit is refused rather than drawn wrong', () => {
    expect(() => formatNumber(1, 'furlong')).toThrow('furlong');
  });
});

describe('answers', () => {
  const long: Frame = {
    fields: [
      { name: 'time', type: 'time', values: [NOON, NOON, LATER] },
      { name: 'miner', type: 'string', values: ['a', 'b', 'b'] },
      { name: 'rank', type: 'number', values: [1, 2, 1] },
    ],
  };

  it('each label becomes a series, with a gap where it has no value', () => {
    const [, ...lines] = longToWide(long).fields;
    expect(lines.map(({ labels, values }) => [labels, values])).toEqual([
      [{ miner: 'a' }, [1, null]],
      [{ miner: 'b' }, [2, 1]],
    ]);
  });

  it('rows are split into series by the values of a column', () => {
    const frames = partitionByValues(long, 'miner');
    expect(frames.map(({ fields }) => fields.map(({ values }) => values))).toEqual([
      [[NOON], [1]],
      [
        [NOON, LATER],
        [2, 1],
      ],
    ]);
  });
});

describe('a picture in 256 colours', () => {
  /** A PNG of one row of two pixels; the filter of its row is given. */
  function pictureOf(row: readonly number[]): Buffer {
    const chunk = (type: string, data: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      return Buffer.concat([length, Buffer.from(type, 'latin1'), data, Buffer.alloc(4)]);
    };
    const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
    const parts = [
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(Buffer.from(row))),
      chunk('IEND', Buffer.alloc(0)),
    ];
    return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
  }

  it('a picture in 256 colours has the colours of the original, whichever row filter it uses', () => {
    const plain = smallPng(pictureOf([0, 10, 20, 30, 11, 22, 33]));
    const filtered = smallPng(pictureOf([1, 10, 20, 30, 1, 2, 3]));
    expect(filtered).toEqual(plain);
    expect(plain.includes(Buffer.from([10, 20, 30, 11, 22, 33]))).toBe(true);
  });
});
