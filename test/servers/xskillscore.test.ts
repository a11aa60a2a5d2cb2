import { describe, expect, it } from 'vitest';
import { CONVENTIONS } from '#scoring/conventions';
import { CONVENTION_CASES, differingScores } from '../scoring/support/convention-cases.ts';
import { findPython, startPython } from './support/python-programs.ts';

const python = findPython('xskillscore');

describe.skipIf(python === null)('scores beside those of xskillscore', () => {
  it('every score of every convention equals what the functions of the library give', async () => {
    const file = 'test/servers/support/convention_scores.py';
    const program = startPython({ python: python ?? '', file });
    const answer = await program.ask(JSON.stringify(CONVENTION_CASES));
    await program.finish();
    const found = JSON.parse(answer) as readonly (typeof CONVENTION_CASES)[number]['expected'][];
    expect(found).toHaveLength(CONVENTION_CASES.length);
    for (const [index, one] of CONVENTION_CASES.entries())
      for (const convention of CONVENTIONS)
        expect(differingScores(one, convention, found[index]?.[convention]), one.name).toEqual([]);
  });
});
