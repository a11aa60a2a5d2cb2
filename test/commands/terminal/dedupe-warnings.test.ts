import { describe, expect, it } from 'vitest';
import { dedupeWarnings } from '#commands/terminal/dedupe-warnings';

describe('telling a problem', () => {
  it('telling a problem is done once while it stays the same, and again when another one came between', () => {
    const warnings: string[] = [];
    const tell = dedupeWarnings((message) => warnings.push(message));
    for (const problem of [new Error('down'), 'down', new Error('down'), 'up', 'down']) tell(problem);
    expect(warnings).toEqual(['down', 'up', 'down']);
  });

  it('telling a problem hides secrets', () => {
    const warnings: string[] = [];
    dedupeWarnings((message) => warnings.push(message))(
      new Error('refused: Authorization: Bearer hunter2hunter2'),
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('hunter2');
  });
});
