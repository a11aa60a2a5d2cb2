import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { CategorizedError, STEP_NAMES, SUBSTEPS } from '#semconv';
import { step } from '#steps';
import { recordSteps, type RecordedSteps } from './recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => void steps.take());

const identity = () => ({ runId: 7, minerUid: 12, minerHotkey: '5Miner12', leadHours: 72, attempt: 3 });

describe('the span of a step', () => {
  it('the span of a step names its instrumentation scope, with version and schema URL', () => {
    step({ name: 'day1', substep: 'score' }, () => 1)();
    expect(steps.takeOne().instrumentationScope).toEqual(INSTRUMENTATION_SCOPE);
    expect(INSTRUMENTATION_SCOPE.schemaUrl).toMatch(/^https:\/\/opentelemetry\.io\/schemas\/1\.\d+\.0$/);
  });

  it('the span of a step has the version of the package, so that a release cannot forget it', () => {
    const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
    expect((JSON.parse(text) as { version: string }).version).toBe(INSTRUMENTATION_SCOPE.version);
  });

  it('the span of a step has a name without run, miner, lead or attempt, for every step and substep', () => {
    for (const name of STEP_NAMES) {
      for (const group of SUBSTEPS[name]) {
        const substep = group === 'attempt' ? 'attempt_3' : group;
        step({ name, substep, identity }, () => 1)();
        expect(steps.takeOne().name).toBe(`${name} ${group}`);
      }
    }
  });

  it.each([
    ['internal', SpanKind.INTERNAL],
    ['client', SpanKind.CLIENT],
    ['server', SpanKind.SERVER],
    ['producer', SpanKind.PRODUCER],
    ['consumer', SpanKind.CONSUMER],
  ] as const)('the span of a step is of kind %s when its definition says so', (kind, expected) => {
    step({ name: 'communication', substep: 'initiate_fetch', kind }, () => 1)();
    expect(steps.takeOne().kind).toBe(expected);
  });

  it('the span of a step is internal when its definition names no kind', () => {
    step({ name: 'day1', substep: 'score' }, () => 1)();
    expect(steps.takeOne().kind).toBe(SpanKind.INTERNAL);
  });

  it('the span of a step that failed has error.type and the status ERROR with the message', () => {
    const failing = step({ name: 'day1', substep: 'score' }, () => {
      throw new CategorizedError('data_coverage', 'the field has holes');
    });
    expect(failing).toThrow('the field has holes');
    const span = steps.takeOne();
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'the field has holes' });
    expect(span.attributes['error.type']).toBe('data_coverage');
  });

  it('the span of a step that succeeded leaves the status unset and names no error', () => {
    step({ name: 'day1', substep: 'score' }, () => 1)();
    const span = steps.takeOne();
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span.attributes).not.toHaveProperty('error.type');
  });

  it('the span of a step is not made where no SDK is registered: the step is a plain call', () => {
    steps.close();
    try {
      expect(step({ name: 'day1', substep: 'score' }, () => 5)()).toBe(5);
      expect(steps.take()).toEqual([]);
    } finally {
      steps = recordSteps();
    }
  });
});
