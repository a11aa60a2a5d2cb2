import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SPOOL_FORMATS, segmentStart } from '#spool/format/frame';
import { segmentPath } from '#spool/segments/segment-files';
import { temporaryFolder } from '#test/support/temporary-folder';
import { adoptInto } from './support/adopt-into.ts';
import { keyOf, spanOf } from './support/spool-bench.ts';

/**
 * Spools as each version left them, whose process was ended before anything was delivered: the spans 0 to 5 whole, the
 * start of 6, the starts and the ends of 7, 8 and 9. A version that writes another format adds its own; none is ever changed.
 */
const FIXTURES = join(import.meta.dirname, 'fixtures');
const RECORDS = 13;

describe('formats of a spool', () => {
  it('there is a fixture of every format that is read, and of no other', () => {
    expect(readdirSync(FIXTURES).toSorted()).toEqual(SPOOL_FORMATS.map((format) => `format-${format}`));
  });

  it.each(SPOOL_FORMATS)(
    'a spool of format %i is adopted whole, and its folder is removed',
    async (format) => {
      const root = await temporaryFolder();
      cpSync(join(FIXTURES, `format-${format}`), join(root, 'spool'), { recursive: true });
      expect(segmentStart(readFileSync(segmentPath(join(root, 'spool'), 1)))?.format).toBe(format);
      const { adopted, spans, accounts, problems } = await adoptInto(root);
      expect(problems).toEqual([]);
      expect(adopted).toEqual({ spools: 1, records: RECORDS + 1, closedSteps: 1 });
      expect(spans.filter(({ phase }) => phase === 'ended').map(keyOf)).toEqual(
        [0, 1, 2, 3, 4, 5, 7, 8, 9, 6].map((at) => keyOf(spanOf(at))),
      );
      expect(accounts.flatMap(({ received }) => received).at(-1)?.[1]).toBe(RECORDS + 1);
      expect(accounts.at(-1)).toMatchObject({ isClosed: true, lastSequence: RECORDS + 1 });
      expect(readdirSync(root)).toEqual([]);
    },
  );
});
