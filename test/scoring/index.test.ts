import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../src/scoring/', import.meta.url);

describe('src/scoring', () => {
  it('imports nothing but itself, so that a score cannot depend on a clock, a file or a setting', () => {
    const foreign = readdirSync(folder).flatMap((file) =>
      [...readFileSync(new URL(file, folder), 'utf8').matchAll(/from '([^']+)'/g)]
        .map((match) => match[1] ?? '')
        .filter((source) => !source.startsWith('./')),
    );
    expect(foreign).toEqual([]);
  });
});
