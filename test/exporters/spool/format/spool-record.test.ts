import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PAYLOAD_BYTES, readSegment, RECORD_KINDS } from '#spool/format/frame';
import { runOf, toFrame, toPayload, toSpan } from '#spool/format/spool-record';
import { translate } from '#facts/translate';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan } from '#test/support/spans';

const named = (validatorHotkey: unknown, runId: unknown = 1) => ({
  ...endedSpan({ step: 'query' }),
  attributes: { 'weather.validator.hotkey': validatorHotkey, 'weather.run.id': runId },
});

describe('spool record', () => {
  it('an encoded span is read back', () => {
    fc.assert(
      fc.property(recordedRun, fc.constantFrom(...RECORD_KINDS), (spans, kind) => {
        for (const [index, span] of spans.entries()) {
          const frame = toFrame(kind, index + 1, toPayload(span));
          const [read] = readSegment(frame ?? Buffer.alloc(0)).frames;
          expect(read).toMatchObject({ kind, sequence: index + 1 });
          expect(toSpan({ payload: read?.payload ?? Buffer.alloc(0) })).toEqual(span);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('a payload beyond the maximum has no frame', () => {
    expect(toFrame('ended', 1, Buffer.alloc(MAX_PAYLOAD_BYTES))).not.toBeNull();
    expect(toFrame('ended', 1, Buffer.alloc(MAX_PAYLOAD_BYTES + 1))).toBeNull();
  });

  it.each(['', 'no JSON', 'null', '5', '[]', '{}', '{"attributes":{}}'])(
    'a payload without a span of this version (%s) decodes to null',
    (text) => {
      expect(toSpan({ payload: Buffer.from(text) })).toBeNull();
    },
  );
});

describe('runOf', () => {
  it('a span is counted for the run of its row', () => {
    fc.assert(
      fc.property(recordedRun, (spans) => {
        for (const span of spans) {
          const translation = translate(span);
          const fact = translation.kind === 'step' ? translation.fact : null;
          expect(runOf(span)).toEqual({ validatorHotkey: fact?.validatorHotkey, runId: fact?.runId });
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each(['5Valid\0ator', '5Valid\ud800ator'])(
    'a hotkey that PostgreSQL cannot store (%j) is sanitized as in its row',
    (hotkey) => {
      expect(runOf(named(hotkey))).toEqual({ validatorHotkey: '5Valid\uFFFDator', runId: 1 });
    },
  );

  it('a run that is a number as text is counted for the run of its row', () => {
    expect(runOf(named('5Validator', '12'))).toEqual({ validatorHotkey: '5Validator', runId: 12 });
    const span = endedSpan({ step: 'query', attributes: { 'weather.run.id': '12' } });
    const translation = translate(span);
    expect(translation.kind === 'step' && translation.fact.runId).toBe(12);
  });

  it('a hotkey too long for an index is counted for no run, because the account would be rejected', () => {
    expect(runOf(named('5'.repeat(3000)))).toBeNull();
  });

  it.each([
    ['no validator', named('')],
    ['a validator that is no text', named(5)],
    ['no run', named('5Validator', null)],
    ['a run beyond exact numbers', named('5Validator', 2 ** 53)],
    ['a run that is a text but no number', named('5Validator', 'one')],
  ])('a span with %s is counted for no run', (_, span) => {
    expect(runOf({ ...span, resource: {} })).toBeNull();
  });

  it('the hotkey of the span has precedence over that of the resource', () => {
    expect(runOf(named('5Other'))?.validatorHotkey).toBe('5Other');
    expect(runOf(endedSpan({ step: 'query' }))?.validatorHotkey).toBe('5Validator');
  });
});
