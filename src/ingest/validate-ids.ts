import type { ObservedSpan } from '#facts/observed-span';

/** Spans by whether a row can be made of them at all. */
export interface ValidatedSpans {
  readonly usable: readonly ObservedSpan[];
  /** Why the others cannot, each in words. */
  readonly unusable: readonly string[];
}

const isId = (id: string, digits: number): boolean => id.length === digits && !/^0+$/.test(id);

/** Sorts out the spans without an identity: nothing can be kept under an id of zeros or of another length. */
export function partitionByValidIds(spans: readonly ObservedSpan[]): ValidatedSpans {
  const faults = spans.map(({ traceId, spanId }, index) => {
    if (!isId(traceId, 32))
      return `span ${index} has the trace id "${traceId.slice(0, 40)}"; allowed: 16 bytes, not all zero`;
    if (!isId(spanId, 16))
      return `span ${index} has the span id "${spanId.slice(0, 40)}"; allowed: 8 bytes, not all zero`;
    return null;
  });
  return {
    usable: spans.filter((_, index) => faults[index] === null),
    unusable: faults.filter((fault) => fault !== null),
  };
}
