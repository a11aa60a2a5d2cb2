import { describe, expect, it } from 'vitest';

import { normalizeViewDefinition } from './views.ts';

describe('a view over one table', () => {
  it('definitions of servers with the prefix (15) and without it (16 and newer) are equal', () => {
    const old =
      ' SELECT steps.run_id,\n    max(steps.at) AS latest\n   FROM steps\n  WHERE steps.run_id > 7;';
    const now = ' SELECT run_id,\n    max(at) AS latest\n   FROM steps\n  WHERE run_id > 7;';
    expect(normalizeViewDefinition(old)).toBe(now);
    expect(normalizeViewDefinition(now)).toBe(now);
  });

  it('the alias is used as prefix, with or without a schema', () => {
    expect(normalizeViewDefinition(' SELECT s.a\n   FROM steps s;')).toBe(' SELECT a\n   FROM steps s;');
    expect(normalizeViewDefinition(' SELECT steps.a\n   FROM other.steps;')).toBe(
      ' SELECT steps.a\n   FROM other.steps;',
    );
  });

  it('names that only end like the alias are kept', () => {
    expect(normalizeViewDefinition(' SELECT s.a, runs.b, x.s.c\n   FROM steps s;')).toBe(
      ' SELECT a, runs.b, x.s.c\n   FROM steps s;',
    );
  });
});

describe('a view over several tables', () => {
  it.each([
    ' SELECT a.x,\n    b.y\n   FROM a\n     JOIN b ON b.x = a.x;',
    ' SELECT a.x,\n    b.y\n   FROM a\n     LEFT JOIN b ON b.x = a.x;',
    ' SELECT a.x,\n    b.y\n   FROM a,\n    b;',
    ' SELECT a.x\n   FROM a\nUNION\n SELECT b.x\n   FROM b;',
    ' SELECT 1 AS one;',
  ])('definition %# of a view over several tables is unchanged', (definition) => {
    expect(normalizeViewDefinition(definition)).toBe(definition);
  });
});
