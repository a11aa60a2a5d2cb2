import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { translate, type Translation } from '#facts/translate';
import { EVENTS } from '#semconv';
import { step, withIdentity } from '#steps';
import { RecordingSink } from './recording-sink.ts';

const sink = new RecordingSink();
const processor = new RecordingSpanProcessor({ sink, delayMillis: 0 });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor] }));
});
afterAll(async () => {
  await processor.shutdown();
  trace.disable();
  context.disable();
});

const identity = {
  validatorHotkey: '5Validator',
  runId: 42,
  initTime: new Date('2026-11-23T00:00:00Z'),
  minerUid: 7,
  minerHotkey: '5Miner',
  leadHours: 72,
  attempt: 2,
  maxAttempts: 4,
};

async function translated(): Promise<Translation[]> {
  await processor.forceFlush();
  return sink.written.splice(0).map(translate);
}

describe('translation of the span of a step', () => {
  it('a score is translated with its components', async () => {
    const score = step(
      {
        name: 'era5',
        substep: 'score',
        profile: true,
        outcome: (value) => ({
          status: 'succeeded',
          stage: 'era5_scoring_72h',
          stageStatus: 'scoring',
          attributes: { 'weather.score.era5': value },
          context: { variables: 1 },
          events: [
            {
              name: EVENTS.componentScore,
              attributes: {
                'weather.component.score_type': 'era5',
                'weather.component.variable_name': 'z',
                'weather.component.pressure_level': 500,
                'weather.component.valid_time': '2026-11-26T00:00:00Z',
                'weather.component.rmse': 1.9,
              },
            },
          ],
        }),
      },
      async () => Promise.resolve(0.5),
    );
    await withIdentity(identity, score);
    const [translation] = await translated();
    expect(translation).toMatchObject({
      kind: 'step',
      fact: {
        validatorHotkey: '5Validator',
        runId: 42,
        minerUid: 7,
        status: 'succeeded',
        retriesRemaining: 2,
        error: null,
        state: { stage: 'era5_scoring_72h', scoreEra5: 0.5 },
        componentScores: [{ variableName: 'z', pressureLevel: 500, rmse: 1.9 }],
        context: { variables: 1 },
      },
    });
  });

  it('a failure that is retried is translated with its error and its next attempt', async () => {
    const nextRetryTime = new Date('2026-11-23T18:10:00Z');
    const failing = step(
      {
        name: 'poll',
        substep: () => 'attempt_2',
        failure: () => ({ status: 'retry_scheduled', nextRetryTime }),
      },
      async () => Promise.reject(Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' })),
    );
    await expect(withIdentity(identity, failing)).rejects.toThrow('no route');
    const [translation] = await translated();
    expect(translation).toMatchObject({
      kind: 'step',
      fact: {
        status: 'retry_scheduled',
        substepGroup: 'attempt',
        nextRetryTime: nextRetryTime.getTime() * 1000,
        error: {
          type: 'connection',
          class: 'Error',
          code: 'EHOSTUNREACH',
          message: 'no route',
          stack: expect.stringContaining('step-to-fact.test.ts') as unknown,
          retryable: true,
        },
      },
    });
  });

  it('a value outside the vocabulary is rejected with a reason', async () => {
    withIdentity(
      identity,
      step({ name: 'poll', substep: () => 'attempt_none' }, () => 1),
    );
    const [translation] = await translated();
    expect(translation).toMatchObject({ kind: 'rejected', reason: 'invalid_attribute' });
  });
});
