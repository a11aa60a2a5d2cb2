import { describe, expect, it } from 'vitest';

import { normalizeViewDefinition } from './views.ts';

describe('the definition of a view over one table', () => {
  it('the definition of a view over one table is the same from a server that writes the prefix (15) and from one that does not (16 and newer)', () => {
    const old =
      ' SELECT steps.run_id,\n    max(steps.at) AS latest\n   FROM steps\n  WHERE steps.run_id > 7;';
    const now = ' SELECT run_id,\n    max(at) AS latest\n   FROM steps\n  WHERE run_id > 7;';
    expect(normalizeViewDefinition(old)).toBe(now);
    expect(normalizeViewDefinition(now)).toBe(now);
  });

  it('the definition of a view over one table goes by the alias, with or without a schema before it', () => {
    expect(normalizeViewDefinition(' SELECT s.a\n   FROM steps s;')).toBe(' SELECT a\n   FROM steps s;');
    expect(normalizeViewDefinition(' SELECT steps.a\n   FROM other.steps;')).toBe(
      ' SELECT steps.a\n   FROM other.steps;',
    );
  });

  it('the definition of a view over one table keeps names that only end like the alias', () => {
    expect(normalizeViewDefinition(' SELECT s.a, runs.b, x.s.c\n   FROM steps s;')).toBe(
      ' SELECT a, runs.b, x.s.c\n   FROM steps s;',
    );
  });
});

describe('the definition of a view over more', () => {
  it.each([
    ' SELECT a.x,\n    b.y\n   FROM a\n     JOIN b ON b.x = a.x;',
    ' SELECT a.x,\n    b.y\n   FROM a\n     LEFT JOIN b ON b.x = a.x;',
    ' SELECT a.x,\n    b.y\n   FROM a,\n    b;',
    ' SELECT a.x\n   FROM a\nUNION\n SELECT b.x\n   FROM b;',
    ' SELECT 1 AS one;',
  ])('the definition of a view over more stays as it is', (definition) => {
    expect(normalizeViewDefinition(definition)).toBe(definition);
  });
});
