import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SUITES } from '#bench/suites';

const FILES = readdirSync(join(import.meta.dirname, '../../bench/suites')).filter((name) =>
  name.endsWith('.ts'),
);

describe('the suites of the benchmarks', () => {
  it('the suites of the benchmarks are all run by npm run bench, each under the name of its file', () => {
    const names = SUITES.map(({ name }) => `${name}.ts`);
    expect(names.toSorted()).toEqual(FILES.toSorted());
    expect(new Set(names).size).toBe(names.length);
  });
});
