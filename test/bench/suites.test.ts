import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SUITES } from '#bench/suites';

const FILES = readdirSync(join(import.meta.dirname, '../../bench/suites')).filter((name) =>
  name.endsWith('.ts'),
);

describe('Benchmark suites', () => {
  it('npm run bench runs every suite, each under the name of its file', () => {
    const names = SUITES.map(({ name }) => `${name}.ts`);
    expect(names.toSorted()).toEqual(FILES.toSorted());
    expect(new Set(names).size).toBe(names.length);
  });
});
