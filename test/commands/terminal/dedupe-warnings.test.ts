import { describe, expect, it } from 'vitest';
import { dedupeWarnings } from '#commands/terminal/dedupe-warnings';

describe('dedupeWarnings', () => {
  it('a repeated warning is printed once, and again after a different one', () => {
    const warnings: string[] = [];
    const warn = dedupeWarnings((message) => warnings.push(message));
    for (const problem of [new Error('down'), 'down', new Error('down'), 'up', 'down']) warn(problem);
    expect(warnings).toEqual(['down', 'up', 'down']);
  });

  it('a warning stays on its line, whoever wrote what it quotes', () => {
    const warnings: string[] = [];
    dedupeWarnings((message) => warnings.push(message))(new Error('refused: "\u001b[2J\nFORGED"'));
    expect(warnings).toEqual(['refused: "\\u001b[2J\\nFORGED"']);
  });

  it('secrets in a warning are hidden', () => {
    const warnings: string[] = [];
    dedupeWarnings((message) => warnings.push(message))(
      new Error('refused: Authorization: Bearer hunter2hunter2'),
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('hunter2');
  });
});
