import { setFlagsFromString } from 'node:v8';

/** How much the heap may grow beyond what was alive in it, per cent. */
const GROWTH_PERCENT = 50;

/**
 * Has garbage collected when it is half as much as what is alive. Where memory is plenty V8 waits for much more, which
 * gives a recorder that works through a backlog little speed for much memory (docs/performance.md).
 *
 * For a process of our own: it holds for the program as a whole.
 */
export const keepHeapSmall = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
