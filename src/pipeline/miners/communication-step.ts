import { TRANSPORT_OF } from '#semconv/transport-outcome';
import { classifyError, step, type StepDefinition, type StepOutcome } from '#steps';
import { MinerCallError, type Operation } from './miner-call-error.ts';
import type { Miner } from './miner.ts';

/** The result of a call, with the attributes of its span. */
export interface Exchange<Result> {
  readonly result: Result;
  readonly statusCode: number;
  /** The status as the miner wrote it; null for a file. */
  readonly wireStatus: string | null;
  readonly jobId?: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * The outcome of a call that brought a valid reply, even a rejection: transport and application outcome are two facts.
 * The enclosing step counts the rejection, once; this span records the wire status.
 */
const toOutcome = (exchange: Exchange<unknown>): StepOutcome => ({
  status: 'succeeded',
  attributes: {
    'weather.response.transport': 'success',
    'http.response.status_code': exchange.statusCode,
    'weather.response.wire_status': exchange.wireStatus,
    'weather.job.id': exchange.jobId,
  },
  context: exchange.context,
});

/** A call that the validator itself aborted says nothing about its miner, so it has no transport outcome. */
function toFailure(error: unknown): Partial<StepOutcome> {
  const failed = error instanceof MinerCallError ? error : null;
  return {
    attributes: {
      'weather.response.transport': TRANSPORT_OF[classifyError(error)],
      'http.response.status_code': failed?.statusCode,
      'weather.response.wire_status': failed?.wireStatus,
    },
    context: { bytes: failed?.bytes ?? 0 },
  };
}

/** Wraps `send` so that each call is a `communication` step of its miner, with its own latency. */
export function communicationStep<Subject, Result>(
  operation: Operation,
  method: 'GET' | 'POST',
  send: (miner: Miner, subject: Subject) => Promise<Exchange<Result>>,
): (miner: Miner, subject: Subject) => Promise<Result> {
  const definition: StepDefinition<[Miner, Subject], Promise<Exchange<Result>>> = {
    name: 'communication',
    substep: operation,
    kind: 'client',
    identity: (miner) => ({ minerUid: miner.uid, minerHotkey: miner.hotkey }),
    attributes: () => ({ 'http.request.method': method }),
    outcome: toOutcome,
    failure: toFailure,
  };
  const exchange = step(definition, send);
  return async (miner, subject) => (await exchange(miner, subject)).result;
}
