import { SpanStatusCode } from '@opentelemetry/api';
import { SamplingDecision, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CategorizedError, EVENTS } from '#semconv';
import { instrumentationFaults, step, type StepOutcome } from '#steps';
import { contextOf, recordSteps, type RecordedSteps } from './recorded-steps.ts';

const poll = { name: 'poll', substep: 'attempt_1' } as const;
const nextRetryTime = new Date('2026-11-23T18:10:00Z');

describe('the outcome of a step', () => {
  let steps: RecordedSteps;
  beforeAll(() => void (steps = recordSteps()));
  afterAll(() => {
    steps.close();
  });
  beforeEach(() => void steps.take());

  const record = (outcome: StepOutcome): ReadableSpan => {
    step({ ...poll, outcome: () => outcome }, () => 1)();
    return steps.takeOne();
  };

  it('the outcome of a step is succeeded when its definition has no outcome', () => {
    step(poll, () => false)();
    expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
  });

  it('the outcome of a step sets status, stage, attributes and context, without null values', () => {
    const span = record({
      status: 'succeeded',
      stage: 'inference_running_45%',
      stageStatus: 'polling',
      attributes: {
        'weather.poll.progress': 45,
        'weather.job.id': null,
        'weather.score.initial': Number.NaN,
      },
      context: { bytes: 5120n, when: nextRetryTime },
    });
    expect(span.attributes).toMatchObject({
      'weather.step.status': 'succeeded',
      'weather.stage': 'inference_running_45%',
      'weather.stage.status': 'polling',
      'weather.poll.progress': 45,
      'weather.score.initial': Number.NaN,
    });
    expect(span.attributes).not.toHaveProperty('weather.job.id');
    expect(contextOf(span)).toEqual({ bytes: '5120', when: '2026-11-23T18:10:00.000Z' });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('a step that waits for truth is not an error, and records due time and reason', () => {
    const error = new CategorizedError('truth_not_ready', 'ERA5 of lead 72 is not there yet');
    const span = record({ status: 'waiting_for_truth', nextRetryTime, error });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).not.toHaveProperty('error.type');
    expect(span.attributes['weather.retry.next_time']).toBe('2026-11-23T18:10:00.000Z');
    expect(contextOf(span)).toEqual({ waiting_for: 'ERA5 of lead 72 is not there yet' });
    expect(span.events.map(({ name }) => name)).toEqual([EVENTS.retryScheduled]);
  });

  it('a scheduled retry records the error that the outcome returns as a value', () => {
    const span = record({ status: 'retry_scheduled', nextRetryTime, error: new Error('HTTP 503: busy') });
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'HTTP 503: busy' });
    expect(span.attributes['error.type']).toBe('http_5xx');
    expect(span.attributes['weather.error.retryable']).toBe(true);
    expect(span.events.map(({ name }) => name)).toEqual([EVENTS.exception, EVENTS.retryScheduled]);
  });

  it('a step that failed without any error has the category unknown', () => {
    const span = record({ status: 'failed' });
    expect(span.attributes['error.type']).toBe('unknown');
    expect(span.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('an error with its own category keeps that category', () => {
    const attributes = { 'error.type': 'rejected_identity' } as const;
    const span = record({ status: 'failed', error: 'go away', attributes });
    expect(span.attributes['error.type']).toBe('rejected_identity');
  });

  it('scores and decisions become events whose free text is scrubbed', () => {
    const reason = 'no answer from https://203.0.113.9:8091/run';
    const span = record({
      status: 'succeeded',
      events: [
        {
          name: EVENTS.componentScore,
          attributes: { 'weather.component.rmse': 1.9, 'weather.component.acc': null },
        },
        { name: EVENTS.decision, attributes: { 'weather.orchestration.reason': reason } },
      ],
    });
    expect(span.events.map(({ attributes }) => attributes)).toEqual([
      { 'weather.component.rmse': 1.9 },
      { 'weather.orchestration.reason': 'no answer from https://[host]/run' },
    ]);
  });

  it('a throw is recorded with category, class, code, causes, fingerprint and exception', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 203.0.113.9:8091'), { code: 'ECONNREFUSED' });
    const failing = step(poll, () => {
      throw new TypeError('fetch failed', { cause });
    });
    expect(failing).toThrow(TypeError);
    const span = steps.takeOne();
    expect(span.attributes).toMatchObject({
      'weather.step.status': 'failed',
      'error.type': 'connection',
      'weather.error.class': 'TypeError',
      'weather.error.retryable': true,
      'weather.error.fingerprint': expect.stringMatching(/^[0-9a-f]{12}$/) as unknown,
    });
    expect(JSON.parse(String(span.attributes['weather.error.causes']))).toEqual([
      { type: 'Error', message: 'connect ECONNREFUSED [ip]', code: 'ECONNREFUSED' },
    ]);
    const [exception] = span.events;
    expect(exception?.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.message': 'fetch failed',
      'exception.stacktrace': expect.stringContaining('outcome.test.ts:') as unknown,
    });
    expect(JSON.stringify([span.attributes, span.events])).not.toMatch(/203\.0|\/test\//);
  });

  it('failure overrides parts of the outcome of a throw', () => {
    const failure = (_error: unknown, attempt: number) =>
      ({ status: 'retry_scheduled', nextRetryTime, context: { attempt } }) as const;
    const failing = step({ ...poll, failure }, (attempt: number) => {
      throw new Error(`attempt ${attempt} timed out`);
    });
    expect(() => failing(2)).toThrow('attempt 2 timed out');
    const span = steps.takeOne();
    expect(span.attributes['weather.step.status']).toBe('retry_scheduled');
    expect(span.attributes['error.type']).toBe('timeout');
    expect(contextOf(span)).toEqual({ attempt: 2 });
  });

  it('reading the outcome is not part of the latency of a step', () => {
    const slow = (): StepOutcome => {
      const until = performance.now() + 150;
      while (performance.now() < until);
      return { status: 'succeeded' };
    };
    step({ ...poll, outcome: slow }, () => 1)();
    const [seconds, nanos] = steps.takeOne().duration;
    expect(seconds * 1e9 + nanos).toBeLessThan(140e6);
  });

  it('a step with profile records its cost', () => {
    step({ ...poll, profile: true }, () => {
      const until = performance.now() + 60;
      while (performance.now() < until);
    })();
    const { attributes } = steps.takeOne();
    expect(attributes['weather.profile.cpu_ms']).toBeGreaterThan(0);
    expect(attributes['weather.profile.event_loop_delay_ms']).toBeGreaterThanOrEqual(40);
    expect(attributes['weather.profile.peak_memory_bytes']).toBeGreaterThan(1e6);
  });
});

describe('instrumentation that fails', () => {
  let steps: RecordedSteps;
  beforeAll(() => void (steps = recordSteps()));
  afterAll(() => {
    steps.close();
  });
  beforeEach(() => void steps.take());

  const boom = (): never => {
    throw new Error('instrumentation');
  };

  it.each(['identity', 'attributes', 'substep', 'outcome'] as const)(
    'a fault in %s is counted and changes neither value nor status',
    (place) => {
      const before = instrumentationFaults()[place];
      expect(step({ ...poll, [place]: boom }, () => 5)()).toBe(5);
      expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
      expect(instrumentationFaults()[place]).toBe(before + 1);
    },
  );

  it('a fault in failure leaves the error of the step as it is', () => {
    const error = new Error('the real one');
    const failing = step({ ...poll, failure: boom }, () => {
      throw error;
    });
    expect(failing).toThrow(error);
    const span = steps.takeOne();
    expect(span.status.message).toBe('the real one');
    expect(contextOf(span)).toEqual({ instrumentation_fault: 'failure' });
  });

  it('a fault in one part of an outcome does not lose the other parts', () => {
    const outcome = (): StepOutcome =>
      ({
        status: 'succeeded',
        stage: 'day1_scored',
        nextRetryTime: new Date('never'),
        attributes: { 'weather.poll.progress': { not: 'a number' } },
        events: [null, { name: EVENTS.decision, attributes: {} }],
        context: {
          ok: 1,
          get bad() {
            return boom();
          },
        },
      }) as unknown as StepOutcome;
    step({ ...poll, outcome }, () => 1)();
    const span = steps.takeOne();
    expect(span.attributes).toMatchObject({
      'weather.step.status': 'succeeded',
      'weather.stage': 'day1_scored',
    });
    expect(span.events.map(({ name }) => name)).toEqual([EVENTS.decision]);
    expect(contextOf(span)).toEqual({ ok: 1, bad: '[unreadable]' });
  });

  it.each([
    ['no object', undefined],
    ['a status that is none', { status: 'in_progress' }],
    [
      'an object that throws',
      {
        get status() {
          return boom();
        },
      },
    ],
  ])(
    'a call whose outcome is %s is recorded as succeeded, with the fault in its context',
    (_title, outcome) => {
      step({ ...poll, outcome: () => outcome as unknown as StepOutcome }, () => 1)();
      const span = steps.takeOne();
      expect(span.attributes['weather.step.status']).toBe('succeeded');
      expect(contextOf(span)).toEqual({ instrumentation_fault: 'outcome' });
    },
  );

  it.each([
    ['a revoked proxy', revoked()],
    ['an error whose getters throw', Object.create(Error.prototype, hostileGetters())],
    ['an error that is its own cause', selfCaused()],
    ['null', null],
    ['a symbol', Symbol('thrown')],
  ])('a step passes on %s that was thrown, and records it', (_title, thrown: unknown) => {
    const failing = step(poll, () => {
      throw thrown;
    });
    let caught: unknown;
    try {
      failing();
    } catch (error) {
      caught = error;
    }
    expect(Object.is(caught, thrown)).toBe(true);
    expect(steps.takeOne().attributes['error.type']).toBe('unknown');
  });

  it.each([
    ['a revoked proxy', revoked()],
    [
      'an object whose then throws',
      {
        get then() {
          return boom();
        },
      },
    ],
  ])('a step passes on %s as a value', (_title, value: unknown) => {
    const result = step(poll, () => value)();
    expect(Object.is(result, value)).toBe(true);
    expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
  });
});

describe('a step without a recording SDK', () => {
  let steps: RecordedSteps | null = null;
  afterEach(() => {
    steps?.close();
    steps = null;
  });

  it('a step without a recording SDK asks neither for attributes nor for an outcome', async () => {
    const asked: string[] = [];
    const quiet = step(
      {
        ...poll,
        attributes: () => (asked.push('attributes'), {}),
        outcome: () => (asked.push('outcome'), { status: 'succeeded' }),
      },
      async () => Promise.resolve(5),
    );
    expect(await quiet()).toBe(5);
    expect(asked).toEqual([]);
  });

  it('a step runs unchanged when the sampler drops its span', () => {
    const sampler = { shouldSample: () => ({ decision: SamplingDecision.NOT_RECORD }) };
    steps = recordSteps({ sampler });
    expect(step(poll, () => 5)()).toBe(5);
    expect(steps.take()).toEqual([]);
  });

  it('a step runs unchanged when the sampler throws, and the fault is counted', () => {
    const sampler = {
      shouldSample: () => {
        throw new Error('sampler');
      },
    };
    steps = recordSteps({ sampler });
    const before = instrumentationFaults().start;
    expect(step(poll, () => 5)()).toBe(5);
    expect(instrumentationFaults().start).toBe(before + 1);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function hostileGetters(): PropertyDescriptorMap {
  const get = (): never => {
    throw new Error('hostile');
  };
  return Object.fromEntries(
    ['message', 'name', 'stack', 'cause', 'code', 'category', 'constructor', 'errors'].map((key) => [
      key,
      { get },
    ]),
  );
}

function selfCaused(): Error {
  const error = new Error('around and around');
  error.cause = error;
  return error;
}
