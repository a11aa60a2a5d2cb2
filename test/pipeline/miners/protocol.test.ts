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

describe('the data of a request for a forecast', () => {
  it('the data of a request for a forecast names T0, the analysis six hours before it, and who asks whom', () => {
    const data = toInitiateFetchData(miner, { initTime: new Date('2026-03-01T00:00:00Z') });
    expect(data).toEqual({
      forecast_start_time: '2026-03-01T00:00:00.000Z',
      previous_step_time: '2026-02-28T18:00:00.000Z',
      validator_hotkey: null,
      expected_miner_hotkey: HOTKEY,
    });
  });

  it('the data of a request for a forecast is what its own schema accepts, and never holds the address', () => {
    const data = toInitiateFetchData(miner, { initTime: new Date(0), validatorHotkey: '5V' });
    expect(initiateFetchDataSchema.parse(data)).toEqual(data);
    expect(JSON.stringify(data)).not.toContain('miner.example');
  });

  it.each([
    [{ forecast_start_time: '2026-03-01', previous_step_time: '2026-02-28T18:00:00Z' }],
    [{ forecast_start_time: '2026-03-01T00:00:00', previous_step_time: '2026-02-28T18:00:00Z' }],
    [{ forecast_start_time: '2026-03-01T00:00:00Z' }],
  ])('the data of a request for a forecast: %j is refused: an instant without an offset is none', (data) => {
    expect(initiateFetchDataSchema.safeParse(data).success).toBe(false);
  });
});

describe('the wrapper of requests', () => {
  it('the wrapper of requests may come with a nonce, with null, or without', () => {
    const data = { job_id: JOB_ID };
    for (const wrapper of [{ nonce: 'n', data }, { nonce: null, data }, { data }]) {
      expect(jobDataSchema.parse(requestSchema.parse(wrapper).data)).toEqual(data);
    }
    expect(requestSchema.safeParse({ nonce: 'n'.repeat(101), data }).success).toBe(false);
  });
});

describe('a reply at the door', () => {
  it('a reply at the door is refused with the names of the fields at fault, never with their values', () => {
    const body = { status: 'completed', access_token: 42, zarr_store_url: ['http://secret.example'] };
    const parse = (): unknown => parseReply(tokenReplySchema, body);
    expect(parse).toThrow(/zarr_store_url: .*access_token: /);
    expect(parse).not.toThrow(/secret\.example/);
  });

  it('a reply at the door may hold more than is agreed, which is left behind', () => {
    expect(parseReply(tokenReplySchema, { status: 'processing', mood: 'fine' })).toEqual({
      status: 'processing',
    });
  });

  it('a reply at the door opens a forecast only with all three parts', () => {
    const all = {
      zarr_store_url: 'forecasts/a.zarr',
      verification_hash: MANIFEST_HASH,
      access_token: ACCESS.token,
    };
    expect(toForecastAccess(all)).toEqual(ACCESS);
    for (const field of Object.keys(all)) expect(toForecastAccess({ ...all, [field]: null })).toBeNull();
  });
});
