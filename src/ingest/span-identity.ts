import { createHash } from 'node:crypto';
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

type Resource = ObservedSpan['resource'];
const INSTANCE = 'service.instance.id';

/**
 * Names the senders that do not name themselves, so that they are not one: by a digest of all that their resource says
 * (host, process, service). It depends on nothing else, so that a span is the same however often and whichever way it comes.
 * Processes whose resources are equal stay one.
 */
export function withNamedSenders(spans: readonly ObservedSpan[]): readonly ObservedSpan[] {
  // The spans of a group share their resource.
  const named = new Map<Resource, Resource>();
  return spans.map((span) => {
    const { resource } = span;
    const id = resource[INSTANCE];
    if (typeof id === 'string' && id !== '') return span;
    const known = named.get(resource) ?? { ...resource, [INSTANCE]: `unnamed-${digestOf(resource)}` };
    named.set(resource, known);
    return { ...span, resource: known };
  });
}

function digestOf(resource: Resource): string {
  const entries = Object.entries(resource).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(entries, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
