import { afterEach, beforeEach, expect } from 'vitest';
import { captureSpans, oddContextKeys, type CapturedSpans } from './captured-spans.ts';
import { openBench, type PipelineBench } from './pipeline-bench.ts';

/**
 * Gives each test of a file a bench of its own and no spans of the tests before. After each test the keys of all
 * contexts must be in snake case, also those of failures that no demonstration has.
 */
export function useFreshBench(): { readonly spans: CapturedSpans; readonly bench: PipelineBench } {
  const spans = captureSpans();
  let current: PipelineBench | undefined;
  beforeEach(async () => {
    spans.reset();
    current = await openBench();
  });
  afterEach(async () => {
    const opened = current;
    current = undefined;
    await opened?.close();
    expect(oddContextKeys(spans.of())).toEqual([]);
  });
  const openedBench = (): PipelineBench => {
    if (current === undefined) throw new Error('The bench is open only while a test runs.');
    return current;
  };
  return {
    spans,
    bench: {
      get database() {
        return openedBench().database;
      },
      get problems() {
        return openedBench().problems;
      },
      open: (...args) => openedBench().open(...args),
      run: (...args) => openedBench().run(...args),
      close: () => openedBench().close(),
    },
  };
}
