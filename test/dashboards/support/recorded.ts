import { createPostgresExporter } from '#postgres/exporter';
import { closingSpan } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import { ERA5_LEAD_HOURS } from '#semconv';
import { accountOf, runOf } from '#test/support/accounts';
import { initTimeOf, instantIn, MINERS, RECORDED_RUNS } from '#test/support/recorded-runs';
import { componentScore, endedSpan, hexOf, startOfSpan, T, type SpanOptions } from '#test/support/spans';
import type { TestDatabase } from '#test/support/postgres';

const RUN = 5;
const BEGIN = Date.parse(instantIn(RUN, 0)) - Number(T / 1_000_000n);

const spanOf = (options: Omit<SpanOptions, 'run'>): ObservedSpan =>
  endedSpan({
    maxAttempts: 5,
    ...options,
    run: RUN,
    at: BEGIN + (options.at ?? 0),
    attributes: { 'weather.run.init_time': initTimeOf(RUN), ...options.attributes },
  });

const waited = (lead: number, miner: SpanOptions['miner'], due: number): ObservedSpan =>
  spanOf({
    step: 'era5',
    lead,
    miner: miner ?? null,
    at: 1000 + lead,
    status: 'waiting_for_truth',
    attributes: {
      'weather.truth.due_time': instantIn(RUN, due),
      'weather.retry.next_time': instantIn(RUN, due + 60_000),
    },
  });

/** The same of a process that keeps no books, in a trace of its own that nobody has. */
const ofSender = (span: ObservedSpan): ObservedSpan => ({
  ...span,
  traceId: hexOf('unsampled', 32),
  traceSampled: false,
  resource: { ...span.resource, 'service.instance.id': 'sender-1' },
});

const validTimeOf = (lead: number): string =>
  new Date(Date.parse(initTimeOf(RUN)) + lead * 3_600_000).toISOString();

const scored = (lead: number): ObservedSpan =>
  spanOf({
    step: 'era5',
    lead,
    miner: MINERS.good,
    attempt: 2,
    at: 200_000 + lead,
    attributes: {
      'weather.score.era5': 0.4,
      'weather.score.scorer_version': '1',
      'weather.score.inputs': JSON.stringify([
        { role: 'truth', kind: 'directory', address: '/era5.zarr', digest: 'd', expver: '0005' },
      ]),
    },
    events: [
      componentScore({
        score_type: 'era5',
        variable_name: 't',
        pressure_level: 850,
        valid_time: validTimeOf(lead),
        acc: 0.9 - lead / 500,
        skill_score: 0.5 - lead / 500,
        skill_score_climatology: 0.5 - lead / 500,
        plain_skill_score_gfs: 0.1 - lead / 500,
        plain_skill_score_climatology: 0.45 - lead / 500,
        coverage: 1,
      }),
    ],
  });

/** A lead without a score: one field of it failed its check, the other one passed. */
const holed = spanOf({
  step: 'era5',
  lead: 120,
  miner: MINERS.tampering,
  at: 320_000,
  error: { type: 'data_coverage', message: 'Field z500 of the forecast is not scored' },
  events: [
    componentScore({
      score_type: 'era5',
      variable_name: 'z',
      pressure_level: 500,
      valid_time: validTimeOf(120),
      failed_check: 'coverage',
      reason: 'Field z500 of the forecast is not scored',
    }),
    componentScore({ score_type: 'era5', variable_name: '2t', valid_time: validTimeOf(120), acc: 0.99 }),
  ],
});

const late = spanOf({ step: 'era5', lead: 72, miner: MINERS.good, at: 500_000, durationMs: 60_000 });
const lastSign = Number(late.startTimeUnixNano / 1000n) + 1_000_000;

/** Cases of no other recorded run: late truth, a bad field, a trace that nobody has, a step that ended after it was given up, unbalanced books. */
const FIFTH: readonly ObservedSpan[] = [
  waited(24, MINERS.good, 100_000),
  ...ERA5_LEAD_HOURS.map(scored),
  spanOf({
    step: 'era5',
    lead: 96,
    miner: MINERS.tampering,
    at: 300_000,
    status: 'retry_scheduled',
    error: { type: 'data_coverage', message: 'the store was away' },
    attributes: { 'weather.retry.next_time': instantIn(RUN, 600_000) },
  }),
  ofSender(waited(48, MINERS.tampering, 300_000)),
  holed,
];

const refused = spanOf({ step: 'poll', miner: MINERS.good, at: 9000 });
const DEAD: ObservedSpan = { ...refused, attributes: { ...refused.attributes, 'weather.step.attempt': 0 } };

/** Whose record it is, and how its spans differ from those of the first validator. */
export interface Disguise {
  readonly validatorHotkey: string;
  readonly span: (span: ObservedSpan) => ObservedSpan;
  readonly more: readonly ObservedSpan[];
}

const AS_IT_IS: Disguise = { validatorHotkey: '5Validator', span: (span) => span, more: [] };

/** Records five runs that cover everything a panel can show. */
export async function recordEverything(
  { pool }: Pick<TestDatabase, 'pool'>,
  { validatorHotkey, span, more }: Disguise = AS_IT_IS,
): Promise<void> {
  const exporter = createPostgresExporter({ pool });
  const account = accountOf({
    validatorHotkey,
    received: [[1, 4]],
    lastSequence: 9,
    deliveredSequence: 7,
    runs: [
      runOf({
        validatorHotkey,
        runId: RUN,
        started: 12 + more.length,
        spooled: 2,
        dropped: { spool_full: 1 },
      }),
    ],
  });
  const batches: readonly (readonly ObservedSpan[])[] = [
    RECORDED_RUNS,
    FIFTH,
    [startOfSpan(late)],
    [closingSpan(startOfSpan(late), { reason: 'heartbeat_lost', at: lastSign })],
    [late],
  ];
  for (const batch of batches) await exporter.exportObserved(batch.map(span), { account });
  await exporter.exportObserved(more, { account });
  await exporter.exportObserved([span(DEAD)], {
    account: accountOf({ validatorHotkey, instanceId: 'instance-2', isClosed: true }),
  });
}

/** The runs and miners that a person could choose. */
export const CHOICES: readonly { readonly run: string; readonly miner: string }[] = [1, 2, 3, 4, RUN].flatMap(
  (run) => Object.values(MINERS).map(({ hotkey }) => ({ run: String(run), miner: hotkey })),
);

/** A time range in which all of it lies. */
export const RANGE = {
  from: new Date(Number(T / 1_000_000n) - 30 * 86_400_000),
  to: new Date(Number(T / 1_000_000n) + 30 * 86_400_000),
} as const;
