import { describe, expect, it } from 'vitest';
import { acquireAll, createResourceStack } from '#lifecycle/resource-stack';

/** A release that notes its name, and throws when an error is given. */
const noting = (notes: string[], name: string, error?: Error) => () => {
  notes.push(name);
  return error === undefined ? Promise.resolve() : Promise.reject(error);
};

describe('a resource stack', () => {
  it('a resource stack releases what was acquired last first, each after the one before has ended', async () => {
    const notes: string[] = [];
    const { add, close } = createResourceStack();
    add(noting(notes, 'first'));
    add(async () => {
      notes.push('second begins');
      await Promise.resolve();
      notes.push('second ends');
    });
    await close();
    expect(notes).toEqual(['second begins', 'second ends', 'first']);
  });

  it('a resource stack releases everything although one release fails, and throws the first failure at the end', async () => {
    const notes: string[] = [];
    const { add, close } = createResourceStack();
    add(noting(notes, 'a'));
    add(noting(notes, 'b', new Error('b cannot be released')));
    add(noting(notes, 'c', new Error('c cannot be released')));
    await expect(close()).rejects.toThrow('c cannot be released');
    expect(notes).toEqual(['c', 'b', 'a']);
  });

  it('a resource stack releases once, however often it is closed', async () => {
    const notes: string[] = [];
    const { add, close } = createResourceStack();
    add(noting(notes, 'only'));
    await Promise.all([close(), close()]);
    await close();
    expect(notes).toEqual(['only']);
  });
});

describe('acquiring several resources', () => {
  it('acquireAll returns the resources with their stack when all are acquired', async () => {
    const notes: string[] = [];
    const acquired = await acquireAll(async ({ add, close }) => {
      add(noting(notes, 'only'));
      return Promise.resolve({ close });
    });
    expect(notes).toEqual([]);
    await acquired.close();
    expect(notes).toEqual(['only']);
  });

  it('acquireAll releases what was acquired when the next one fails, and throws that error', async () => {
    const notes: string[] = [];
    const acquiring = acquireAll(async ({ add }) => {
      add(noting(notes, 'first', new Error('nor can it be released')));
      await Promise.reject(new Error('the second cannot be acquired'));
    });
    await expect(acquiring).rejects.toThrow('the second cannot be acquired');
    expect(notes).toEqual(['first']);
  });
});
