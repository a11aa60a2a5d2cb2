import { setFlagsFromString } from 'node:v8';

/** How much the heap may grow beyond what was alive in it, per cent. */
const GROWTH_PERCENT = 50;

/**
 * Has garbage collected before it is half as much as what is alive. Where memory is plenty V8 waits for three times as
 * much, which a recorder that works through a backlog does not get faster by.
 *
 * For a process of our own: it holds for the program as a whole.
 */
export const keepHeapSmall = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
