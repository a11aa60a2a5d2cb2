import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CategorizedError } from '#semconv';
import { previewEnd, step, type EndedSpan } from '#steps';
import { recordSteps, type RecordedSteps } from './recorded-steps.ts';

let recorded: RecordedSteps;
beforeAll(() => {
  recorded = recordSteps();
});
afterEach(() => recorded.take());
afterAll(() => recorded.close());

type Reply = { readonly jobId: string } | { readonly error: Error };
let preview: EndedSpan | null;

/** A step that looks at its end before it comes to it. */
const query = step(
  {
    name: 'query',
    substep: 'initiate_fetch',
    identity: () => ({
      runId: 7,
      initTime: new Date('2026-11-23T00:00:00Z'),
      minerUid: 3,
      minerHotkey: '5Three',
      attempt: 2,
      maxAttempts: 4,
    }),
    outcome: (reply: Reply) =>
      'error' in reply
        ? { status: 'failed', error: reply.error }
        : {
            status: 'succeeded',
            stage: 'inference_running',
            attributes: { 'weather.job.id': reply.jobId },
            context: { jobs: 1 },
            events: [{ name: 'weather.component_score', attributes: { rmse: Number.NaN } }],
          },
  },
  (reply: Reply): Reply => {
    preview = previewEnd(reply);
    return reply;
  },
);

const withoutTimes = ({ name, attributes, events, status, resource }: EndedSpan) => ({
  ...{ name, attributes, status, resource: resource.attributes },
  events: events.map((event) => ({ name: event.name, attributes: event.attributes ?? {} })),
});

describe('previewEnd', () => {
  it.each<[string, Reply]>([
    ['succeeded', { jobId: 'job-a' }],
    ['failed', { error: new CategorizedError('timeout', 'it took too long') }],
  ])('the previewed end of a step that %s equals the end of its span', (_status, reply) => {
    query(reply);
    const ended = recorded.takeOne();
    if (preview === null) throw new Error('there was no preview');
    expect(withoutTimes(preview)).toEqual(withoutTimes(ended));
    expect(preview.spanContext()).toEqual(ended.spanContext());
    expect(preview.startTime).toEqual(ended.startTime);
    expect(Math.abs(preview.endTime[0] - ended.endTime[0])).toBeLessThanOrEqual(1);
  });

  it('the preview leaves the span as it is, so that the step may still end otherwise', () => {
    const undecided = step({ name: 'poll', substep: 'attempt_1' }, () => {
      previewEnd('all is well');
      throw new Error('it was not');
    });
    expect(undecided).toThrow('it was not');
    expect(recorded.takeOne().attributes['weather.step.status']).toBe('failed');
  });

  it('the preview is of the innermost running step', () => {
    let name: string | undefined;
    const inner = step(
      { name: 'query', substep: 'initiate_fetch' },
      () => (name = previewEnd(undefined)?.name),
    );
    step({ name: 'orchestration', substep: 'decision' }, () => inner())();
    expect(name).toBe('query initiate_fetch');
  });

  it('the preview is null outside of a step', () => {
    expect(previewEnd('value')).toBeNull();
  });
});
