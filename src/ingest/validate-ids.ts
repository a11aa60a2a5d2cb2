import type { ObservedSpan } from '#facts/observed-span';
import type { Faults } from './decode/faults.ts';

const isId = (id: string, digits: number): boolean => id.length === digits && !/^0+$/.test(id);

/** The spans with valid ids; the others become faults. A row needs ids of the right length, not all zero, as OTLP demands. */
export function withValidIds(spans: readonly ObservedSpan[], faults: Faults): readonly ObservedSpan[] {
  return spans.filter(({ traceId, spanId }, index) => {
    const fault = faultOf(traceId, spanId);
    if (fault !== null) faults.add(`span ${index} has the ${fault}`);
    return fault === null;
  });
}

function faultOf(traceId: string, spanId: string): string | null {
  if (!isId(traceId, 32)) return `trace id "${traceId.slice(0, 40)}"; allowed: 16 bytes, not all zero`;
  if (!isId(spanId, 16)) return `span id "${spanId.slice(0, 40)}"; allowed: 8 bytes, not all zero`;
  return null;
}
