import { describe, expect, it } from 'vitest';
import { dedupeWarnings } from '#commands/terminal/dedupe-warnings';

describe('telling a problem', () => {
  it('is done once while it stays the same, and again when another one came between', () => {
    const told: string[] = [];
    const tell = dedupeWarnings((message) => told.push(message));
    for (const problem of [new Error('down'), 'down', new Error('down'), 'up', 'down']) tell(problem);
    expect(told).toEqual(['down', 'up', 'down']);
  });

  it('hides secrets', () => {
    const told: string[] = [];
    dedupeWarnings((message) => told.push(message))(
      new Error('refused: Authorization: Bearer hunter2hunter2'),
    );
    expect(told).toHaveLength(1);
    expect(told[0]).not.toContain('hunter2');
  });
});
