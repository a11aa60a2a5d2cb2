import { getGlobalDispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { ForecastAccess } from '#pipeline/miners/index';
import { acceptedJob, accessTo, CHUNK, startSession, pollToEnd, T0, type FleetSession } from './support.ts';

/** A session with a miner whose forecast is complete, and the access to it. */
async function finished(
  changes: Parameters<typeof startSession>[1] = {},
): Promise<FleetSession & { access: ForecastAccess }> {
  const session = await startSession(['copying', 'copying'], changes);
  const jobId = await acceptedJob(session);
  await pollToEnd(session, jobId);
  return { ...session, access: await accessTo(session, jobId) };
}

/** Status and body of a request to the first miner, its path taken as it is. */
async function send(
  { miner }: FleetSession,
  path: string,
  options: { method?: 'GET' | 'HEAD' | 'POST'; token?: string; body?: string } = {},
): Promise<{ status: number; text: string; length: string }> {
  const { statusCode, body, headers } = await getGlobalDispatcher().request({
    origin: new URL(miner.baseUrl).origin,
    path: new URL(miner.baseUrl).pathname + path,
    method: options.method ?? 'GET',
    headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
    body: options.body ?? null,
  });
  return { status: statusCode, text: await body.text(), length: String(headers['content-length']) };
}

describe('file route of a simulated miner', () => {
  it('files are readable and listed with the token in a header or in the query', async () => {
    await using session = await finished();
    const { access } = session;
    const { storePath, token } = access;
    expect(await send(session, `${storePath}/${CHUNK}`, { token })).toMatchObject({
      status: 200,
      text: 'chunk of copying miner 0',
    });
    expect(await send(session, `${storePath}/zarr.json?token=${token}`)).toMatchObject({ status: 200 });
    const listing = await send(session, storePath, { token });
    expect(JSON.parse(listing.text)).toEqual({
      files: ['manifest.json', 'manifest.sig', CHUNK, 'zarr.json'],
    });
  });

  it('a HEAD request returns the length of a file only', async () => {
    await using session = await finished();
    const { access } = session;
    const head = await send(session, `${access.storePath}/${CHUNK}`, { token: access.token, method: 'HEAD' });
    expect(head).toEqual({ status: 200, text: '', length: '24' });
  });

  it('a request without a token, or with a forged or expired one, gets 401', async () => {
    let now = T0.getTime();
    await using session = await finished({ clock: { now: () => new Date(now) } });
    const { access } = session;
    const path = `${access.storePath}/${CHUNK}`;
    expect(await send(session, path)).toMatchObject({ status: 401 });
    expect(await send(session, path, { token: `${access.token}x` })).toMatchObject({ status: 401 });
    now += 120 * 60_000 - 1000;
    expect(await send(session, path, { token: access.token })).toMatchObject({ status: 200 });
    now += 1000;
    expect(await send(session, path, { token: access.token })).toMatchObject({ status: 401 });
  });

  it('the token of another miner grants no access', async () => {
    await using session = await finished();
    const { access } = session;
    const other: FleetSession = { ...session, miner: session.fleet.miners[1] ?? session.miner };
    expect(await send(other, `${access.storePath}/${CHUNK}`, { token: access.token })).toMatchObject({
      status: 401,
    });
  });

  it.each([
    '/forecasts/other.zarr/x',
    '/forecasts/{store}/../other.zarr/x',
    '/forecasts/{store}/..%2fx',
    '/forecasts/{store}/%zz',
  ])('the path %s is outside of the token and gets 403', async (template) => {
    await using session = await finished();
    const { access } = session;
    const path = template.replace('/forecasts/{store}', access.storePath);
    expect(await send(session, path, { token: access.token })).toMatchObject({ status: 403 });
  });

  it('an absent file gets 404, and a POST gets 405', async () => {
    await using session = await finished();
    const { access } = session;
    const path = `${access.storePath}/absent`;
    expect(await send(session, path, { token: access.token })).toMatchObject({ status: 404 });
    expect(await send(session, path, { token: access.token, method: 'POST' })).toMatchObject({ status: 405 });
  });
});

describe('requests that a simulated miner rejects', () => {
  it.each([
    ['no JSON', '{', 422],
    ['no wrapper', '{"job_id":"a"}', 422],
    ['no job id', '{"nonce":null,"data":{}}', 422],
    ['a job id that is none', '{"nonce":null,"data":{"job_id":"a b"}}', 422],
    ['an unknown job', '{"nonce":null,"data":{"job_id":"a"}}', 200],
  ])('a poll with %s is rejected without an error of the server', async (_, body, status) => {
    await using session = await startSession(['good']);
    expect(await send(session, '/weather-poll-job-status', { method: 'POST', body })).toMatchObject({
      status,
    });
  });

  it('another method gets 405, and another path or an unknown miner gets 404', async () => {
    await using session = await startSession(['good']);
    expect(await send(session, '/weather-initiate-fetch')).toMatchObject({ status: 405 });
    expect(await send(session, '/weather-start-inference', { method: 'POST', body: '{}' })).toMatchObject({
      status: 404,
    });
    expect(await send(session, '9/weather-initiate-fetch')).toMatchObject({ status: 404 });
    expect(session.fleet.requestCounts(0)).toEqual({
      initiate_fetch: 1,
      poll_job_status: 0,
      kerchunk_request: 0,
      forecast_file: 0,
    });
  });
});
