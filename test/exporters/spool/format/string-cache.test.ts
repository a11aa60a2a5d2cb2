import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StringCache } from '#spool/format/string-cache';

describe('the memory of texts', () => {
  it('gives every text as it stands there, whatever it remembers', () => {
    const memory = new StringCache();
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 80 });
    // Few letters: many texts want the same place.
    const alike = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.oneof(ascii, alike), { maxLength: 50 }), (texts) => {
        const bytes = Buffer.from(texts.join(''), 'latin1');
        let at = 0;
        for (const text of texts) {
          expect(memory.textOf(bytes, at, at + text.length)).toBe(text);
          at += text.length;
        }
      }),
    );
  });
});
