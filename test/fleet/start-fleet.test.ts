import { describe, expect, it } from 'vitest';
import {
  assignProfiles,
  PROFILES,
  startFleet,
  type FleetOptions,
  type Profile,
  type SimulatedMiner,
} from '#fleet';
import {
  createMinerClient,
  fileHash,
  isHotkey,
  MinerCallError,
  toJobId,
  verifyManifest,
  type VerifiedManifest,
} from '#pipeline/miners/index';
import {
  acceptedJob,
  accessTo,
  CHUNK,
  startSession,
  pollToEnd,
  readStoreFile,
  SEED,
  smallForecast,
  T0,
  type FleetSession,
} from './support.ts';

const OPTIONS: FleetOptions = {
  count: 1,
  seed: SEED,
  initTime: T0,
  delayFactor: 0.001,
  forecastFor: smallForecast,
};

async function failureOf(call: Promise<unknown>): Promise<MinerCallError | null> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error === null || error instanceof MinerCallError) return error;
  throw error;
}

/** Retries until success. @returns the categories of the failures before */
async function failuresBeforeSuccess(call: () => Promise<unknown>): Promise<string[]> {
  const failures: string[] = [];
  for (;;) {
    const failure = await failureOf(call());
    if (failure === null || failures.length > 9) return failures;
    expect(failure.retryable).toBe(true);
    failures.push(failure.category);
  }
}

/** Verifies the manifest of a finished forecast as a validator does before it reads chunks. */
async function verified(session: FleetSession, jobId: string): Promise<VerifiedManifest> {
  const access = await accessTo(session, jobId);
  const { bytes, signature } = await session.client.fetchManifest(session.miner, access);
  return verifyManifest({
    bytes,
    signature,
    claimedHash: access.manifestHash,
    minerHotkey: session.miner.hotkey,
  });
}

describe('startFleet', () => {
  it('the same seed gives the same fleet: hotkeys, profiles and qualities', async () => {
    const fleets = await Promise.all([
      startFleet({ ...OPTIONS, count: 16 }),
      startFleet({ ...OPTIONS, count: 16 }),
    ]);
    const [one, other] = fleets.map(({ miners }) =>
      miners.map(({ uid, hotkey, profile, quality, seed }) => ({ uid, hotkey, profile, quality, seed })),
    );
    expect(one).toEqual(other);
    expect(one?.every(({ hotkey }) => isHotkey(hotkey))).toBe(true);
    await Promise.all(fleets.map((fleet) => fleet.close()));
  });

  it('a fleet of 256 miners has a separate address for each', async () => {
    const fleet = await startFleet({ ...OPTIONS, count: 256 });
    expect(new Set(fleet.miners.map(({ hotkey }) => hotkey)).size).toBe(256);
    expect(new Set(fleet.miners.map(({ baseUrl }) => baseUrl)).size).toBe(256);
    await Promise.all([fleet.close(), fleet.close()]);
  });

  it('an invalid size or number of profiles is a RangeError', async () => {
    await expect(startFleet({ ...OPTIONS, count: 257 })).rejects.toThrow(
      'fleet of 257 miners cannot be started; allowed: 1 to 256',
    );
    await expect(startFleet({ ...OPTIONS, count: 0 })).rejects.toThrow('allowed: 1 to 256');
    await expect(startFleet({ ...OPTIONS, count: 2, profiles: ['good'] })).rejects.toThrow(
      '1 profiles are given for 2 miners',
    );
    await using session = await startSession(['good']);
    expect(() => session.fleet.requestCounts(1)).toThrow('uid is 1; allowed: 0 to 0');
  });
});

describe('good miner', () => {
  it('a good miner accepts, infers, and hosts files that match its manifest', async () => {
    await using session = await startSession([
      'good',
      'good',
      'good',
      'good',
      'good',
      'good',
      'good',
      'good',
    ]);
    const miner = session.fleet.miners.find(({ inferencePolls }) => inferencePolls === 2) ?? session.miner;
    const own: FleetSession = { ...session, miner };

    const jobId = await acceptedJob(own);
    expect(jobId).toBe(toJobId(T0, miner.hotkey));
    expect(await pollToEnd(own, jobId)).toEqual(['running', 'running', 'completed']);
    const { files } = await verified(own, jobId);
    const access = await accessTo(own, jobId);
    for (const [path, hash] of Object.entries(files)) {
      const response = await readStoreFile(own, access, path);
      expect(fileHash(path, new Uint8Array(await response.arrayBuffer()))).toBe(hash);
    }
    expect(Object.keys(files)).toHaveLength(2);
  });

  it('a miner with a finished forecast returns it with the first reply', async () => {
    await using session = await startSession([
      'good',
      'good',
      'good',
      'good',
      'good',
      'good',
      'good',
      'good',
    ]);
    const miner = session.fleet.miners.find(({ inferencePolls }) => inferencePolls === 0);
    if (miner === undefined) throw new Error('no miner of this seed is ready at once');
    const reply = await session.client.initiateFetch(miner, { initTime: T0 });

    expect(reply).toMatchObject({ kind: 'ready', jobId: toJobId(T0, miner.hotkey) });
    if (reply.kind !== 'ready' || reply.access === undefined) throw new Error('no access was given');
    expect(await session.client.fetchManifest(miner, reply.access)).toHaveProperty('signature');
    expect(session.fleet.requestCounts(miner.uid).poll_job_status).toBe(0);
  });

  it('a repeated request returns the same job, and the forecast is made once', async () => {
    const asked: SimulatedMiner[] = [];
    await using session = await startSession(['copying'], {
      forecastFor: (miner) => {
        asked.push(miner);
        return smallForecast(miner);
      },
    });
    const jobIds = await Promise.all([acceptedJob(session), acceptedJob(session), acceptedJob(session)]);
    expect(new Set(jobIds).size).toBe(1);
    await pollToEnd(session, jobIds[0]);
    expect(await session.client.initiateFetch(session.miner, { initTime: T0 })).toMatchObject({
      kind: 'ready',
    });
    expect(asked.map(({ uid, profile }) => [uid, profile])).toEqual([[0, 'copying']]);
    expect(session.fleet.requestCounts(0)).toMatchObject({ initiate_fetch: 4, poll_job_status: 2 });
  });

  it('a request for another job, forecast or hotkey is rejected', async () => {
    await using session = await startSession(['copying']);
    const { client, miner } = session;
    expect(await client.pollJobStatus(miner, 'before')).toEqual({ kind: 'not_found' });
    const jobId = await acceptedJob(session);
    expect(await client.requestToken(miner, jobId)).toEqual({ kind: 'processing' });
    expect(await client.requestToken(miner, 'other')).toEqual({ kind: 'not_found' });
    expect(await client.initiateFetch(miner, { initTime: new Date(0) })).toMatchObject({ kind: 'error' });
    expect(await client.initiateFetch({ ...miner, hotkey: 'other' }, { initTime: T0 })).toMatchObject({
      kind: 'rejected',
      identity: true,
    });
  });
});

describe('other profiles', () => {
  it('a slow miner runs for many polls and reports growing progress', async () => {
    await using session = await startSession(['slow']);
    const jobId = await acceptedJob(session);
    const reported: (number | null)[] = [];
    for (;;) {
      const reply = await session.client.pollJobStatus(session.miner, jobId);
      if (reply.kind !== 'running') break;
      reported.push(reply.progress);
    }
    expect(reported.length).toBeGreaterThanOrEqual(6);
    expect(reported[0]).toBe(0);
    expect(reported).toEqual(reported.toSorted((one, other) => Number(one) - Number(other)));
  });

  it('a flaky miner fails with every fault, each of them retryable, and recovers', async () => {
    await using session = await startSession(['flaky']);
    const { client, miner } = session;
    expect(await failuresBeforeSuccess(() => client.initiateFetch(miner, { initTime: T0 }))).toHaveLength(2);
    const jobId = toJobId(T0, miner.hotkey);
    const whilePolling = await failuresBeforeSuccess(() => client.pollJobStatus(miner, jobId));
    // A hanging request ends as a lost connection here: the fleet drops it before the client's timeout.
    expect(whilePolling.toSorted()).toEqual(['connection', 'connection', 'http_5xx']);
    expect((await pollToEnd(session, jobId)).at(-1)).toBe('completed');
    expect(await failuresBeforeSuccess(() => client.requestToken(miner, jobId))).toHaveLength(1);
    const access = await accessTo(session, jobId);
    expect(await failuresBeforeSuccess(() => client.fetchManifest(miner, access))).toHaveLength(1);
  });

  it('a rejecting miner claims another hotkey and makes no forecast', async () => {
    let made = 0;
    await using session = await startSession(['rejecting'], {
      forecastFor: async () => new Map([[String((made += 1)), new Uint8Array()]]),
    });
    const reply = await session.client.initiateFetch(session.miner, { initTime: T0 });
    expect(reply).toMatchObject({ kind: 'rejected', identity: true });
    expect(made).toBe(0);
  });

  it('an offline miner refuses connections', async () => {
    await using session = await startSession(['offline']);
    const failure = await failureOf(session.client.initiateFetch(session.miner, { initTime: T0 }));
    expect(failure).toMatchObject({ category: 'connection', retryable: true });
    expect(session.fleet.requestCounts(0).initiate_fetch).toBe(0);
  });

  it('a failing miner accepts the job and then reports why it failed', async () => {
    await using session = await startSession(['failing']);
    const jobId = await acceptedJob(session);
    expect((await pollToEnd(session, jobId)).at(-1)).toBe('failed');
    expect(await session.client.pollJobStatus(session.miner, jobId)).toEqual({
      kind: 'failed',
      message: 'inference failed: CUDA out of memory',
      progress: null,
    });
    expect(await session.client.requestToken(session.miner, jobId)).toMatchObject({ kind: 'error' });
  });

  it('the chunks of a tampering miner no longer match the manifest that was read', async () => {
    await using session = await startSession(['tampering']);
    const jobId = await acceptedJob(session);
    await pollToEnd(session, jobId);
    const before = await readStoreFile(session, await accessTo(session, jobId), CHUNK);
    const chunkBefore = new Uint8Array(await before.arrayBuffer());
    const { files } = await verified(session, jobId);
    const after = await readStoreFile(session, await accessTo(session, jobId), CHUNK);

    expect(fileHash(CHUNK, chunkBefore)).toBe(files[CHUNK]);
    expect(fileHash(CHUNK, new Uint8Array(await after.arrayBuffer()))).not.toBe(files[CHUNK]);
  });

  it.each(['nan', 'copying'] as const)(
    'a miner of profile %s hosts the forecast that was made for its profile',
    async (profile) => {
      await using session = await startSession([profile]);
      const jobId = await acceptedJob(session);
      await pollToEnd(session, jobId);
      await verified(session, jobId);
      const response = await readStoreFile(session, await accessTo(session, jobId), CHUNK);
      expect(await response.text()).toBe(`chunk of ${profile} miner 0`);
    },
  );
});

describe('hanging miner', () => {
  it('a hanging request outlasts the timeout of a client and does not block the close of the fleet', async () => {
    await using session = await startSession(['flaky'], { delayFactor: 1 });
    const hasty = createMinerClient({ timeouts: { poll: 40 } });
    const categories: (string | undefined)[] = [];
    for (let poll = 0; poll < 3; poll += 1) {
      categories.push((await failureOf(hasty.pollJobStatus(session.miner, 'any')))?.category);
    }
    expect(categories.toSorted()).toEqual(['connection', 'http_5xx', 'timeout']);
    await hasty.close();
  });
});

describe('sixteen miners', () => {
  it('sixteen concurrent miners reach the outcomes of their profiles', async () => {
    await using fleet = await startSession(assignProfiles(16, SEED));
    const ends = await Promise.all(fleet.fleet.miners.map((miner) => endOf({ ...fleet, miner })));
    const endsOf = (profile: Profile): string[] => [
      ...new Set(ends.filter((_, uid) => fleet.fleet.miners[uid]?.profile === profile)),
    ];
    expect(Object.fromEntries(PROFILES.map((profile) => [profile, endsOf(profile)]))).toEqual({
      good: ['verified'],
      slow: ['verified'],
      flaky: ['verified'],
      nan: ['verified'],
      tampering: ['verified'],
      copying: ['verified'],
      rejecting: ['rejected'],
      offline: ['connection'],
      failing: ['failed'],
    });
  });
});

/** Repeats a call as a validator with four attempts does. */
async function callWithRetries<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 4 || !(error instanceof MinerCallError) || !error.retryable) throw error;
    }
  }
}

/** Outcome of a validator's exchange with a miner. */
async function endOf(session: FleetSession): Promise<string> {
  const { client, miner } = session;
  const failure = await failureOf(callWithRetries(() => client.initiateFetch(miner, { initTime: T0 })));
  if (failure !== null) return failure.category;
  const reply = await client.initiateFetch(miner, { initTime: T0 });
  if (!('jobId' in reply)) return reply.kind;
  for (;;) {
    const { kind } = await callWithRetries(() => client.pollJobStatus(miner, reply.jobId));
    if (kind === 'failed') return kind;
    if (kind === 'completed') break;
  }
  await callWithRetries(() => verified(session, reply.jobId));
  return 'verified';
}
