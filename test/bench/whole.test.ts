import type { Profiler } from 'node:inspector/promises';
import { describe, expect, it } from 'vitest';
import { cpuTimes } from '#bench/whole/cpu-shares';
import { shareMeasurement } from '#bench/whole/shared-measurement';

/** Frames from the root on; each calls the next. */
function profileOf(stacks: readonly (readonly string[])[]): Profiler.Profile {
  const frames = stacks.flatMap((stack, index) =>
    stack.map((url, depth) => ({ url, id: index * 10 + depth })),
  );
  const isCalled = (id: number): boolean => frames.some((frame) => frame.id === id && id % 10 !== 0);
  return {
    startTime: 0,
    endTime: 0,
    nodes: frames.map(({ url, id }) => ({
      id,
      callFrame: {
        functionName: url === 'idle' ? '(idle)' : 'f',
        url,
        scriptId: '0',
        lineNumber: 0,
        columnNumber: 0,
      },
      children: isCalled(id + 1) ? [id + 1] : [],
    })),
    samples: stacks.map((stack, index) => index * 10 + stack.length - 1),
    timeDeltas: stacks.map((_, index) => 10 ** index),
  };
}

describe('CPU shares', () => {
  it('CPU time belongs to the innermost frame of recording or pipeline, and to both without such a frame', () => {
    const wrapper = 'file:///b/src/steps/step.ts';
    const times = cpuTimes(
      profileOf([
        ['', wrapper],
        [wrapper, 'file:///b/src/pipeline/steps/poll.ts', 'node:internal/crypto'],
        ['', 'file:///b/exporters/postgres/exporter.ts', 'file:///b/node_modules/pg/lib/client.js'],
        ['', 'file:///b/node_modules/pg/lib/client.js'],
        ['idle'],
        ['wasm://wasm/1'],
      ]),
    );
    expect(times).toEqual({ recording: 101, pipeline: 100_010, shared: 1000 });
  });
});

describe('Shared measurement', () => {
  it('a shared measurement is taken once a round, by whichever side comes first', async () => {
    let taken = 0;
    const sides = shareMeasurement(() => Promise.resolve((taken += 1)), {
      it: (number) => number,
      twice: (number) => 2 * number,
    });
    expect([await sides['it']?.(), await sides['twice']?.()]).toEqual([1, 2]);
    expect([await sides['twice']?.(), await sides['it']?.()]).toEqual([4, 2]);
    expect(taken).toBe(2);
  });
});
