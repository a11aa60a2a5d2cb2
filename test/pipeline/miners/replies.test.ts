import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { progressOf, readInitiateFetchReply, readPollReply, readTokenReply } from '#pipeline/miners/replies';
import { CategorizedError } from '#semconv';
import { ACCESS, JOB_ID, MANIFEST_HASH } from './scripted-miner.ts';

const initiate = (body: unknown) => readInitiateFetchReply(body, ['miner.example']).reply;
const poll = (body: unknown) => readPollReply(body, []).reply;
const token = (body: unknown) => readTokenReply(body, []).reply;

const accessFields = {
  zarr_store_url: '/forecasts/a.zarr',
  verification_hash: MANIFEST_HASH.toUpperCase(),
  access_token: ACCESS.token,
};

describe('initiate-fetch reply', () => {
  it('an accepted reply holds the job id of the miner', () => {
    expect(initiate({ status: 'fetch_accepted', job_id: JOB_ID })).toEqual({
      kind: 'accepted',
      jobId: JOB_ID,
    });
  });

  it('a ready reply holds access only when all its parts are present', () => {
    const ready = { status: 'completed', job_id: JOB_ID };
    expect(initiate({ ...ready, ...accessFields })).toEqual({ kind: 'ready', jobId: JOB_ID, access: ACCESS });
    expect(initiate({ ...ready, ...accessFields, access_token: null })).toEqual({
      kind: 'ready',
      jobId: JOB_ID,
    });
    expect(initiate({ ...ready, status: 'forecast_ready' })).toEqual({ kind: 'ready', jobId: JOB_ID });
  });

  it('a rejected identity is distinguished from other rejections', () => {
    const rejected = (more: object) => initiate({ status: 'fetch_rejected', ...more });
    expect(rejected({ message: 'Hotkey verification failed: other' })).toMatchObject({ identity: true });
    expect(rejected({ expected_hotkey: 'a', actual_hotkey: 'b' })).toMatchObject({ identity: true });
    expect(rejected({ expected_hotkey: 'a', actual_hotkey: 'a', message: 'too busy' })).toEqual({
      kind: 'rejected',
      reason: 'too busy',
      identity: false,
    });
  });

  it('a reply without a message gets a reason that names its status', () => {
    expect(initiate({ status: 'error' })).toEqual({
      kind: 'error',
      message: 'the miner answered "error" and gave no message',
    });
  });

  it('the message of a reply is scrubbed of addresses and cut to 500 characters', () => {
    const reply = initiate({
      status: 'error',
      message: `no route to miner.example (10.1.2.3:4444) ${'y'.repeat(900)}`,
    });
    if (reply.kind !== 'error') throw new Error(`got ${reply.kind}`);
    expect(reply.message).not.toMatch(/miner\.example|10\.1\.2\.3|4444/);
    expect(reply.message).toHaveLength(500);
  });

  it.each([
    ['no object', 'hello', /reply: .*expected object/],
    ['null', null, /reply: /],
    ['no status', {}, /status: /],
    ['a status that is a number', { status: 3 }, /status: .*expected string/],
    ['no job id', { status: 'fetch_accepted' }, /"fetch_accepted" without a job_id/],
    ['a job id with a path', { status: 'fetch_accepted', job_id: '../../etc' }, /job_id: is not a job id/],
    ['an endless job id', { status: 'fetch_accepted', job_id: 'a'.repeat(101) }, /job_id: is not a job id/],
    [
      'a short hash',
      { status: 'completed', job_id: 'a', ...accessFields, verification_hash: 'ab' },
      /is not a SHA-256/,
    ],
    [
      'a token with a line break',
      { status: 'completed', job_id: 'a', ...accessFields, access_token: 'a\r\nb' },
      /access_token holds/,
    ],
  ])('a reply with %s is rejected', (_, body, message) => {
    expect(() => initiate(body)).toThrow(message);
    expect(() => initiate(body)).toThrow(CategorizedError);
  });
});

describe('store URL', () => {
  const storePath = (url: string): string => {
    const reply = token({ status: 'completed', ...accessFields, zarr_store_url: url });
    return reply.kind === 'ready' ? reply.access.storePath : reply.kind;
  };

  it('a store URL is reduced to its path, so that no reply sends a token to another host', () => {
    expect(storePath('https://elsewhere.example:1/forecasts/a.zarr')).toBe('/forecasts/a.zarr');
    expect(storePath('forecasts/a.zarr/')).toBe('/forecasts/a.zarr');
    expect(storePath('http://10.0.0.1:9000/m/3/forecasts/a.zarr?token=x')).toBe('/forecasts/a.zarr');
  });

  it.each([
    '/forecasts/../secret.zarr/x',
    '/forecasts/.zarr',
    '/forecasts/a%2f..%2fb.zarr',
    '/other/a.zarr',
    'http://',
  ])('the store URL "%s" is rejected without being repeated', (url) => {
    expect(() => storePath(url)).toThrow(/does not name a store; allowed: \/forecasts\/\{name\}\.zarr$/);
  });
});

describe('poll reply', () => {
  it('a progress of 0 stays 0, and a missing one is null', () => {
    const running = { kind: 'running', wireStatus: 'running' };
    expect(poll({ status: 'running', progress: 0 })).toEqual({ ...running, progress: 0 });
    expect(poll({ status: 'running' })).toEqual({ ...running, progress: null });
    expect(poll({ status: 'running', progress: null })).toEqual({ ...running, progress: null });
  });

  it('progress is clamped to 0…100, whatever the miner reports', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (progress) => {
        const reply = poll({ status: 'processing', progress });
        expect(reply).toMatchObject({ progress: Math.min(100, Math.max(0, progress)) });
      }),
    );
  });

  it('a progress that is not a number is rejected', () => {
    expect(() => poll({ status: 'running', progress: '45%' })).toThrow(/progress: .*expected number/);
  });

  it('the start of the inference is read under both names, and anything else under them is ignored', () => {
    const start = '2026-11-23T18:07:00+01:00';
    const startedAt = new Date(start);
    expect(poll({ status: 'running', inference_started_at: start, started_at: 7 })).toMatchObject({
      startedAt,
    });
    expect(poll({ status: 'completed', started_at: start })).toEqual({ kind: 'completed', startedAt });
    for (const odd of [null, 1_795_456_800, '', 'soon', '2026-11-23', '2026-11-31T00:00:00Z', { at: start }])
      expect(poll({ status: 'completed', inference_started_at: odd })).toEqual({ kind: 'completed' });
  });

  it('completed, failed and unknown jobs are distinguished', () => {
    expect(poll({ status: 'completed' })).toEqual({ kind: 'completed' });
    expect(poll({ status: 'not_found' })).toEqual({ kind: 'not_found' });
    expect(poll({ status: 'fetch_error', message: 'no GFS' })).toEqual({
      kind: 'failed',
      message: 'no GFS',
      progress: null,
    });
  });

  it('the progress of a completed forecast is 100, whatever the miner reports, and a failed one keeps its own', () => {
    expect(progressOf(poll({ status: 'completed', progress: 12 }))).toBe(100);
    expect(progressOf(poll({ status: 'failed', message: 'CUDA', progress: 61 }))).toBe(61);
    expect(progressOf(poll({ status: 'not_found', progress: 5 }))).toBeNull();
  });
});

describe('token reply', () => {
  it('the hash of an access is lower-cased, because hashes are compared as text', () => {
    expect(token({ status: 'completed', ...accessFields })).toEqual({ kind: 'ready', access: ACCESS });
  });

  it.each(['zarr_store_url', 'verification_hash', 'access_token'])(
    'a ready reply without %s is rejected',
    (field) => {
      expect(() => token({ status: 'completed', ...accessFields, [field]: '' })).toThrow(
        'not all of access_token',
      );
    },
  );

  it('the replies processing, not_found and error are returned as such', () => {
    expect(token({ status: 'processing' })).toEqual({ kind: 'processing' });
    expect(token({ status: 'not_found' })).toEqual({ kind: 'not_found' });
    expect(token({ status: 'error', message: 'disk full' })).toEqual({ kind: 'error', message: 'disk full' });
  });
});
