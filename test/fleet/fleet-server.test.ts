import { getGlobalDispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { ForecastAccess } from '#pipeline/miners/index';
import { acceptedJob, accessTo, CHUNK, meet, pollToEnd, T0, type Meeting } from './support.ts';

/** A meeting with a miner that has finished, and what opens its forecast. */
async function finished(
  changes: Parameters<typeof meet>[1] = {},
): Promise<Meeting & { access: ForecastAccess }> {
  const meeting = await meet(['copying', 'copying'], changes);
  const jobId = await acceptedJob(meeting);
  await pollToEnd(meeting, jobId);
  return { ...meeting, access: await accessTo(meeting, jobId) };
}

/** Status and body of a request to the first miner, its path taken as it is. */
async function send(
  { miner }: Meeting,
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

describe('the files of a simulated miner', () => {
  it('the files of a simulated miner are read with the token in a header or in the query, and listed', async () => {
    await using meeting = await finished();
    const { access } = meeting;
    const { storePath, token } = access;
    expect(await send(meeting, `${storePath}/${CHUNK}`, { token })).toMatchObject({
      status: 200,
      text: 'chunk of copying miner 0',
    });
    expect(await send(meeting, `${storePath}/zarr.json?token=${token}`)).toMatchObject({ status: 200 });
    const listing = await send(meeting, storePath, { token });
    expect(JSON.parse(listing.text)).toEqual({
      files: ['manifest.json', 'manifest.sig', CHUNK, 'zarr.json'],
    });
  });

  it('the files of a simulated miner answer a HEAD with their length alone', async () => {
    await using meeting = await finished();
    const { access } = meeting;
    const head = await send(meeting, `${access.storePath}/${CHUNK}`, { token: access.token, method: 'HEAD' });
    expect(head).toEqual({ status: 200, text: '', length: '24' });
  });

  it('the files of a simulated miner stay shut without a token, with a forged one, and with an expired one', async () => {
    let now = T0.getTime();
    await using meeting = await finished({ clock: { now: () => new Date(now) } });
    const { access } = meeting;
    const path = `${access.storePath}/${CHUNK}`;
    expect(await send(meeting, path)).toMatchObject({ status: 401 });
    expect(await send(meeting, path, { token: `${access.token}x` })).toMatchObject({ status: 401 });
    now += 120 * 60_000 - 1000;
    expect(await send(meeting, path, { token: access.token })).toMatchObject({ status: 200 });
    now += 1000;
    expect(await send(meeting, path, { token: access.token })).toMatchObject({ status: 401 });
  });

  it('the files of a simulated miner are not opened by the token of another miner', async () => {
    await using meeting = await finished();
    const { access } = meeting;
    const other: Meeting = { ...meeting, miner: meeting.fleet.miners[1] ?? meeting.miner };
    expect(await send(other, `${access.storePath}/${CHUNK}`, { token: access.token })).toMatchObject({
      status: 401,
    });
  });

  it.each([
    '/forecasts/other.zarr/x',
    '/forecasts/{store}/../other.zarr/x',
    '/forecasts/{store}/..%2fx',
    '/forecasts/{store}/%zz',
  ])('the files of a simulated miner do not include %s', async (template) => {
    await using meeting = await finished();
    const { access } = meeting;
    const path = template.replace('/forecasts/{store}', access.storePath);
    expect(await send(meeting, path, { token: access.token })).toMatchObject({ status: 403 });
  });

  it('the files of a simulated miner that do not exist are not found, and none can be written', async () => {
    await using meeting = await finished();
    const { access } = meeting;
    const path = `${access.storePath}/absent`;
    expect(await send(meeting, path, { token: access.token })).toMatchObject({ status: 404 });
    expect(await send(meeting, path, { token: access.token, method: 'POST' })).toMatchObject({ status: 405 });
  });
});

describe('the requests that a simulated miner refuses', () => {
  it.each([
    ['no JSON', '{', 422],
    ['no wrapper', '{"job_id":"a"}', 422],
    ['no job id', '{"nonce":null,"data":{}}', 422],
    ['a job id that is none', '{"nonce":null,"data":{"job_id":"a b"}}', 422],
    ['an unknown job', '{"nonce":null,"data":{"job_id":"a"}}', 200],
  ])('a poll with %s', async (_, body, status) => {
    await using meeting = await meet(['good']);
    expect(await send(meeting, '/weather-poll-job-status', { method: 'POST', body })).toMatchObject({
      status,
    });
  });

  it('another method, another path, another miner', async () => {
    await using meeting = await meet(['good']);
    expect(await send(meeting, '/weather-initiate-fetch')).toMatchObject({ status: 405 });
    expect(await send(meeting, '/weather-start-inference', { method: 'POST', body: '{}' })).toMatchObject({
      status: 404,
    });
    expect(await send(meeting, '9/weather-initiate-fetch')).toMatchObject({ status: 404 });
    expect(meeting.fleet.requestCounts(0)).toEqual({
      initiate_fetch: 1,
      poll_job_status: 0,
      kerchunk_request: 0,
      forecast_file: 0,
    });
  });
});
