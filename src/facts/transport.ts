import type { TransportOutcome } from '#semconv';
import { TRANSPORT_OF } from '#semconv/transport-outcome';
import type { StateFact, StepFact } from './step-fact.ts';

/** What the transport outcome of a call follows from. */
type EndedCall = Pick<StepFact, 'phase' | 'stepName' | 'status' | 'error'>;

/**
 * The transport outcome of a call to a miner whose span states none: `success` if it succeeded, else by the category of
 * its error. Undefined for a call that runs, for another step, and where the category says nothing about transport.
 */
function transportOf({ phase, stepName, status, error }: EndedCall): TransportOutcome | undefined {
  if (phase !== 'ended' || stepName !== 'communication') return undefined;
  if (error !== null) return TRANSPORT_OF[error.type] ?? undefined;
  return status === 'succeeded' ? 'success' : undefined;
}

/** The state of a span, with the transport outcome that follows where the span states none. */
export function withTransport(state: StateFact, call: EndedCall): StateFact {
  if (state.transport !== undefined) return state;
  const transport = transportOf(call);
  return transport === undefined ? state : { ...state, transport };
}
