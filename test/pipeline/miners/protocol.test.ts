import { describe, expect, it } from 'vitest';
import {
  initiateFetchDataSchema,
  jobDataSchema,
  parseReply,
  requestSchema,
  toForecastAccess,
  toInitiateFetchData,
  tokenReplySchema,
} from '#pipeline/miners/protocol';
import { ACCESS, HOTKEY, JOB_ID, MANIFEST_HASH } from './scripted-miner.ts';

const miner = { uid: 1, hotkey: HOTKEY, baseUrl: 'http://miner.example' };

describe('protocol: initiate-fetch data', () => {
  it('a request names T0, the analysis six hours before it, the validator and the miner', () => {
    const data = toInitiateFetchData(miner, { initTime: new Date('2026-03-01T00:00:00Z') });
    expect(data).toEqual({
      forecast_start_time: '2026-03-01T00:00:00.000Z',
      previous_step_time: '2026-02-28T18:00:00.000Z',
      validator_hotkey: null,
      expected_miner_hotkey: HOTKEY,
    });
  });

  it('a request passes its own schema and never holds the address', () => {
    const data = toInitiateFetchData(miner, { initTime: new Date(0), validatorHotkey: '5V' });
    expect(initiateFetchDataSchema.parse(data)).toEqual(data);
    expect(JSON.stringify(data)).not.toContain('miner.example');
  });

  it.each([
    [{ forecast_start_time: '2026-03-01', previous_step_time: '2026-02-28T18:00:00Z' }],
    [{ forecast_start_time: '2026-03-01T00:00:00', previous_step_time: '2026-02-28T18:00:00Z' }],
    [{ forecast_start_time: '2026-03-01T00:00:00Z' }],
  ])('the data %j are rejected: an instant needs an offset', (data) => {
    expect(initiateFetchDataSchema.safeParse(data).success).toBe(false);
  });
});

describe('protocol: request envelope', () => {
  it('an envelope may have a nonce, null, or none', () => {
    const data = { job_id: JOB_ID };
    for (const wrapper of [{ nonce: 'n', data }, { nonce: null, data }, { data }]) {
      expect(jobDataSchema.parse(requestSchema.parse(wrapper).data)).toEqual(data);
    }
    expect(requestSchema.safeParse({ nonce: 'n'.repeat(101), data }).success).toBe(false);
  });
});

describe('protocol: replies', () => {
  it('an invalid reply is rejected with the names of its wrong fields, never with their values', () => {
    const body = { status: 'completed', access_token: 42, zarr_store_url: ['http://secret.example'] };
    const parse = (): unknown => parseReply(tokenReplySchema, body);
    expect(parse).toThrow(/zarr_store_url: .*access_token: /);
    expect(parse).not.toThrow(/secret\.example/);
  });

  it('additional fields of a reply are dropped', () => {
    expect(parseReply(tokenReplySchema, { status: 'processing', mood: 'fine' })).toEqual({
      status: 'processing',
    });
  });

  it('a forecast is accessible only with URL, hash and token', () => {
    const all = {
      zarr_store_url: 'forecasts/a.zarr',
      verification_hash: MANIFEST_HASH,
      access_token: ACCESS.token,
    };
    expect(toForecastAccess(all)).toEqual(ACCESS);
    for (const field of Object.keys(all)) expect(toForecastAccess({ ...all, [field]: null })).toBeNull();
  });
});
