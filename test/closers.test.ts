import { describe, expect, it } from 'vitest';
import { createClosers, openAll } from '../src/closers.ts';

/** A closer that notes its name, and throws when it is told to. */
const noting = (notes: string[], name: string, error?: Error) => () => {
  notes.push(name);
  return error === undefined ? Promise.resolve() : Promise.reject(error);
};

describe('closers', () => {
  it('close what was opened last first, each after the one before has ended', async () => {
    const notes: string[] = [];
    const { add, close } = createClosers();
    add(noting(notes, 'first'));
    add(async () => {
      notes.push('second begins');
      await Promise.resolve();
      notes.push('second ends');
    });
    await close();
    expect(notes).toEqual(['second begins', 'second ends', 'first']);
  });

  it('close everything although one of them fails, and tell the first failure at the end', async () => {
    const notes: string[] = [];
    const { add, close } = createClosers();
    add(noting(notes, 'a'));
    add(noting(notes, 'b', new Error('b cannot be closed')));
    add(noting(notes, 'c', new Error('c cannot be closed')));
    await expect(close()).rejects.toThrow('c cannot be closed');
    expect(notes).toEqual(['c', 'b', 'a']);
  });

  it('close once, however often they are asked to', async () => {
    const notes: string[] = [];
    const { add, close } = createClosers();
    add(noting(notes, 'only'));
    await Promise.all([close(), close()]);
    await close();
    expect(notes).toEqual(['only']);
  });
});

describe('opening several things', () => {
  it('gives them with their closer when all are open', async () => {
    const notes: string[] = [];
    const opened = await openAll(async ({ add, close }) => {
      add(noting(notes, 'only'));
      return Promise.resolve({ close });
    });
    expect(notes).toEqual([]);
    await opened.close();
    expect(notes).toEqual(['only']);
  });

  it('closes what is open when the next cannot be opened, and tells why that failed', async () => {
    const notes: string[] = [];
    const opening = openAll(async ({ add }) => {
      add(noting(notes, 'first', new Error('nor can it be closed')));
      await Promise.reject(new Error('the second cannot be opened'));
    });
    await expect(opening).rejects.toThrow('the second cannot be opened');
    expect(notes).toEqual(['first']);
  });
});
