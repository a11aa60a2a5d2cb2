import { randomBytes } from 'node:crypto';
import { OpenSteps, type OpenStep, type SpanIds } from '#spool/open-steps';
import { runOfMiners } from '#bench/miner-run';
import { cpuMillis } from '#bench/harness/cpu-time';
import type { Comparison } from '#bench/harness/suite';
import { PlainOpenSteps, type OpenStepTable } from './plain-open-steps.ts';

const [SPAN] = runOfMiners(1, 1);
/** As many ids as are made at a time: they are young when a step starts, as those of an SDK are. */
const IDS_AT_ONCE = 1024;

/** Insert/delete churn: steps start and end in order, `open` of them at any time. */
export function openStepsComparison(open: number, steps: number): Comparison {
  const churnOf = (create: () => OpenStepTable) => (): number => churn(create(), open, steps);
  return {
    name: `open steps, ${open.toLocaleString('en')} at a time`,
    unit: 'ns of CPU per step',
    sides: { 'hash table': churnOf(() => new OpenSteps()), Map: churnOf(() => new PlainOpenSteps()) },
    targets: [
      {
        what: 'Map, times the hash table',
        unit: '×',
        value: (by) => (by['Map'] ?? NaN) / (by['hash table'] ?? NaN),
      },
    ],
  };
}

function churn(table: OpenStepTable, open: number, steps: number): number {
  const underWay: OpenStep[] = Array.from({ length: open }, (_, index) => stepOf(randomIds(), index));
  for (const step of underWay) table.set(step);
  let millis = 0;
  for (let done = 0; done < steps; done += IDS_AT_ONCE) {
    const ids = Array.from({ length: IDS_AT_ONCE }, randomIds);
    millis += cpuMillis(() => {
      for (const [index, id] of ids.entries()) {
        const at = (done + index) % open;
        endOf(table, underWay[at]);
        const step = stepOf(id, done + index);
        table.set(step);
        underWay[at] = step;
      }
    });
  }
  if (table.size !== open) throw new Error(`${table.size} steps are open, not ${open}.`);
  return (millis * 1e6) / steps;
}

function endOf(table: OpenStepTable, step: OpenStep | undefined): void {
  if (step === undefined || table.get(step.started) !== step) throw new Error('An open step is not found.');
  table.delete(step.started);
}

function stepOf(ids: SpanIds, sequence: number): OpenStep {
  if (SPAN === undefined) throw new Error('There is no span.');
  const started = { ...SPAN, ...ids };
  return { started, sequence, run: null, bufferIndex: null, segment: 1, dropped: null };
}

const randomIds = (): SpanIds => ({
  traceId: randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
});
