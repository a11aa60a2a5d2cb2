import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources } from '#scripts/structure/import-graph';

const ROOT = join(import.meta.dirname, '..', '..');

describe('src/scoring', () => {
  it('src/scoring imports only itself, so that a score cannot depend on a clock, a file or a setting', () => {
    const sources = readSources(ROOT, ['src/scoring']);
    expect(sources.length).toBeGreaterThan(20);
    const imports = sources.flatMap((source) => source.imports);
    expect(imports.filter((path) => !path.startsWith('src/scoring/'))).toEqual([]);
  });
});
