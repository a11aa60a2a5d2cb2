import { context } from '@opentelemetry/api';
import { writeEnd } from './close-step.ts';
import { copySpan, isReadable, type EndedSpan } from './ended-span.ts';
import { guarded } from './instrumentation-faults.ts';
import { stepIn } from './open-step.ts';

/**
 * The end that the running step will have if it returns this value, for a step that commits what it did before
 * it returns: kept with the commit, its word can be given even if the process dies in between.
 *
 * @returns null outside of a step, and where nothing is recorded
 */
export function previewEnd(value: unknown): EndedSpan | null {
  const step = stepIn(context.active());
  if (step === null || step.isClosed || !isReadable(step.span)) return null;
  const { span } = step;
  return guarded('end', null, () => {
    const copy = copySpan(span, Date.now());
    writeEnd(copy.span, step, { kind: 'value', value });
    return copy.read();
  });
}
