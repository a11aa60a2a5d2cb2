import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { ATTRIBUTES } from '#semconv';
import { PIPELINE_ALIASES, RESULT_OF_RUN, RESULT_OF_STEP } from '#semconv/pipeline-aliases';

const known = new Set<unknown>(Object.values(conventions));

describe('the pipeline aliases', () => {
  it('the pipeline aliases are all known to OpenTelemetry, and each appears once', () => {
    const names = PIPELINE_ALIASES.map(({ convention }) => convention);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('the pipeline aliases belong to attributes of ours that exist', () => {
    const ours = PIPELINE_ALIASES.flatMap(({ attribute }) => attribute ?? []);
    expect(ours.filter((name) => !(name in ATTRIBUTES) && !known.has(name))).toEqual([]);
  });

  it('the pipeline aliases have results that OpenTelemetry lists', () => {
    const results = [...Object.values(RESULT_OF_STEP), ...Object.values(RESULT_OF_RUN)];
    const listed = new Set<unknown>([
      conventions.CICD_PIPELINE_RESULT_VALUE_CANCELLATION,
      conventions.CICD_PIPELINE_RESULT_VALUE_ERROR,
      conventions.CICD_PIPELINE_RESULT_VALUE_FAILURE,
      conventions.CICD_PIPELINE_RESULT_VALUE_SKIP,
      conventions.CICD_PIPELINE_RESULT_VALUE_SUCCESS,
      conventions.CICD_PIPELINE_RESULT_VALUE_TIMEOUT,
    ]);
    expect(results.filter((result) => result !== null && !listed.has(result))).toEqual([]);
  });
});
