import { describe, expect, it } from 'vitest';
import { createFieldBudget } from '#grids/read-limits';

/** Work that ends when it is told to, and the order in which works began. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<void> => {
    begun.push(name);
    return new Promise((resolve) => ends.set(name, resolve));
  };
  return { begun, work, end: (name: string) => ends.get(name)?.() };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Of a budget of 20 half is for work of more than a sixteenth. */
describe('createFieldBudget', () => {
  it('work waits until its bytes are free, in the order in which it came, and does not fail', async () => {
    const { begun, work, end } = works();
    const budget = createFieldBudget(20);
    const all = [
      budget.run(6, work('first')),
      budget.run(6, work('second')),
      // It would fit, but a stream of small ones must not keep a large one waiting.
      budget.run(2, work('third')),
    ];
    await settled();
    expect(begun).toEqual(['first']);
    end('first');
    await settled();
    expect(begun).toEqual(['first', 'second', 'third']);
    end('second');
    end('third');
    await Promise.all(all);
  });

  it('work that is larger than the whole budget is done, alone', async () => {
    const { begun, work, end } = works();
    const budget = createFieldBudget(20);
    const small = budget.run(2, work('small'));
    const huge = budget.run(1000, work('huge'));
    await settled();
    expect(begun).toEqual(['small']);
    end('small');
    await settled();
    expect(begun).toEqual(['small', 'huge']);
    end('huge');
    await Promise.all([small, huge]);
  });

  it('work that fails gives its bytes back', async () => {
    const budget = createFieldBudget(20);
    const failing = budget.run(10, () => Promise.reject(new Error('unreadable')));
    await expect(failing).rejects.toThrow('unreadable');
    expect(await budget.run(10, () => Promise.resolve('read'))).toBe('read');
  });

  it('large fields that are sent slowly keep no ordinary one waiting', async () => {
    const { begun, work, end } = works();
    const budget = createFieldBudget(64);
    const all = [
      budget.run(32, work('large')),
      budget.run(5, work('next large')),
      budget.run(4, work('ordinary')),
    ];
    await settled();
    expect(begun).toEqual(['large', 'ordinary']);
    end('large');
    await settled();
    expect(begun).toEqual(['large', 'ordinary', 'next large']);
    end('next large');
    end('ordinary');
    await Promise.all(all);
  });
});
