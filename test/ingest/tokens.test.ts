import { describe, expect, it } from 'vitest';
import { parseTokens, type IngestToken } from '#ingest';
import { attribute, bytes, identity, request } from './support/protobuf.ts';
import { send, serving } from './support/serving.ts';

const TOKENS: readonly IngestToken[] = [
  { token: 'for-all', validators: null },
  { token: 'for-a', validators: new Set(['5A', '5B']) },
];
const step = (...attributes: readonly (readonly [string, string])[]) => [
  ...identity,
  ...attribute(9, 'weather.step.name', bytes(1, 'query')),
  ...attributes.flatMap(([name, value]) => attribute(9, name, bytes(1, value))),
];
const of = (hotkey: string) => step(['weather.validator.hotkey', hotkey]);

describe('tokens that are bound to validators', () => {
  it('a bound token sends spans of its validators, and those of others are refused, named and counted', async () => {
    const refused: unknown[] = [];
    const onRefused = (...counted: unknown[]): void => void refused.push(counted);
    await serving({ tokens: TOKENS, onRefused }, async ({ server, taken }) => {
      const body = request([of('5A'), of('5C'), of('5B'), step()]);
      const seen = await send(server, { body, headers: { authorization: 'Bearer for-a' } });
      expect(seen.status).toBe(200);
      expect(seen.body.toString()).toContain('it is of "5C"; its sender may speak for: 5A, 5B');
      expect(seen.body.toString()).toContain('it is of no validator');
      expect(taken.map(({ attributes }) => attributes['weather.validator.hotkey'])).toEqual(['5A', '5B']);
      expect(refused).toEqual([['other_validator', 2]]);
    });
  });

  it('a bound token is held to the validator that the row will have: that of the span before that of the resource', async () => {
    await serving({ tokens: TOKENS }, async ({ server, taken }) => {
      const resource = [attribute(1, 'weather.validator.hotkey', bytes(1, '5A'))];
      const headers = { authorization: 'Bearer for-a' };
      await send(server, { body: request([step(), of('5C')], resource), headers });
      expect(taken).toHaveLength(1);
    });
  });

  it('the token of all may speak for every validator, and an unknown one for none', async () => {
    await serving({ tokens: TOKENS }, async ({ server, taken }) => {
      const body = request([of('5C')]);
      expect((await send(server, { body, headers: { authorization: 'Bearer for-all' } })).status).toBe(200);
      expect((await send(server, { body, headers: { authorization: 'Bearer for-' } })).status).toBe(401);
      expect((await send(server, { body })).status).toBe(401);
      expect(taken).toHaveLength(1);
    });
  });

  it('spans are kept under the token that sent them, which has a share of the spool', async () => {
    const tokens: string[] = [];
    const deliver = async (_spans: unknown, token: string) => {
      tokens.push(token);
      return { kind: 'written' } as const;
    };
    await serving({ tokens: TOKENS, deliver }, async ({ server }) => {
      for (const token of ['for-a', 'for-all'])
        await send(server, { body: request([of('5A')]), headers: { authorization: `Bearer ${token}` } });
      expect(tokens).toEqual(['for-a', 'for-all']);
    });
  });
});

describe('a file of tokens', () => {
  it('a file of tokens has on each line a token and its hotkeys; empty lines and comments are left out', () => {
    expect(parseTokens('# ours\n\nt1 5A 5B\r\n  t2\t5C \n')).toEqual([
      { token: 't1', validators: new Set(['5A', '5B']) },
      { token: 't2', validators: new Set(['5C']) },
    ]);
  });

  it.each([
    ['t1 5A\nsecret\n', /Line 2 .* no hotkey behind the token.*Allowed/],
    ['secret 5A\nsecret 5B\n', /Line 2 .* earlier line/],
  ])(
    'a file of tokens with a wrong line is refused by its number, and never by its token',
    (text, message) => {
      expect(() => parseTokens(text)).toThrow(message);
      expect(() => parseTokens(text)).not.toThrow(/secret/);
    },
  );
});
