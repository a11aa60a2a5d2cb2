import type { ObservedSpan } from '#facts/observed-span';

/** Spans partitioned by whether their ids are valid. */
export interface ValidatedSpans {
  readonly usable: readonly ObservedSpan[];
  /** One message for each span with an invalid id. */
  readonly unusable: readonly string[];
}

const isId = (id: string, digits: number): boolean => id.length === digits && !/^0+$/.test(id);

/** Partitions spans by valid ids: a row needs ids of the right length that are not all zero, as OTLP demands. */
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
