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

describe('a record', () => {
  it('a record gives back the span that it was made of', () => {
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

  it('a record is none when its span is larger than any that is believed', () => {
    expect(toFrame('ended', 1, Buffer.alloc(MAX_PAYLOAD_BYTES))).not.toBeNull();
    expect(toFrame('ended', 1, Buffer.alloc(MAX_PAYLOAD_BYTES + 1))).toBeNull();
  });

  it.each(['', 'no JSON', 'null', '5', '[]', '{}', '{"attributes":{}}'])(
    'a record that holds no span of this version (%s) gives none, and fails nobody',
    (text) => {
      expect(toSpan({ payload: Buffer.from(text) })).toBeNull();
    },
  );
});

describe('a span', () => {
  it('a span is counted for the run that its row will name', () => {
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
    'a span whose validator PostgreSQL cannot hold as it is (%j) is counted for the one in its row',
    (hotkey) => {
      expect(runOf(named(hotkey))).toEqual({ validatorHotkey: '5Valid\uFFFDator', runId: 1 });
    },
  );

  it('a span whose validator is too long for any key is counted for no run, or it would spoil the account of all others', () => {
    expect(runOf(named('5'.repeat(3000)))).toBeNull();
  });

  it.each([
    ['no validator', named('')],
    ['a validator that is no text', named(5)],
    ['no run', named('5Validator', null)],
    ['a run beyond exact numbers', named('5Validator', 2 ** 53)],
    ['a run that is a text', named('5Validator', '1')],
  ])('a span that names %s is counted for no run', (_, span) => {
    expect(runOf({ ...span, resource: {} })).toBeNull();
  });

  it('a span names its validator itself before its resource does', () => {
    expect(runOf(named('5Other'))?.validatorHotkey).toBe('5Other');
    expect(runOf(endedSpan({ step: 'query' }))?.validatorHotkey).toBe('5Validator');
  });
});
