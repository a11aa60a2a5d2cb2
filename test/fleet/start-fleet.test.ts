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
  meet,
  pollToEnd,
  readStoreFile,
  SEED,
  smallForecast,
  T0,
  type Meeting,
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

/** Calls until it works; gives the categories of the failures before. */
async function failuresBeforeSuccess(call: () => Promise<unknown>): Promise<string[]> {
  const failures: string[] = [];
  for (;;) {
    const failure = await failureOf(call());
    if (failure === null || failures.length > 9) return failures;
    expect(failure.retryable).toBe(true);
    failures.push(failure.category);
  }
}

/** What a validator does with a finished forecast before it reads chunks. */
async function verified(meeting: Meeting, jobId: string): Promise<VerifiedManifest> {
  const access = await accessTo(meeting, jobId);
  const { bytes, signature } = await meeting.client.fetchManifest(meeting.miner, access);
  return verifyManifest({
    bytes,
    signature,
    claimedHash: access.manifestHash,
    minerHotkey: meeting.miner.hotkey,
  });
}

describe('a fleet', () => {
  it('a fleet is the same for the same seed: hotkeys, parts and qualities', async () => {
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

  it('a fleet may fill every slot, each with an address of its own', async () => {
    const fleet = await startFleet({ ...OPTIONS, count: 256 });
    expect(new Set(fleet.miners.map(({ hotkey }) => hotkey)).size).toBe(256);
    expect(new Set(fleet.miners.map(({ baseUrl }) => baseUrl)).size).toBe(256);
    await Promise.all([fleet.close(), fleet.close()]);
  });

  it('a fleet refuses a size or parts that cannot be', async () => {
    await expect(startFleet({ ...OPTIONS, count: 257 })).rejects.toThrow(
      'fleet of 257 miners cannot be started; allowed: 1 to 256',
    );
    await expect(startFleet({ ...OPTIONS, count: 0 })).rejects.toThrow('allowed: 1 to 256');
    await expect(startFleet({ ...OPTIONS, count: 2, profiles: ['good'] })).rejects.toThrow(
      '1 profiles are given for 2 miners',
    );
    await using meeting = await meet(['good']);
    expect(() => meeting.fleet.requestCounts(1)).toThrow('uid is 1; allowed: 0 to 0');
  });
});

describe('a good miner', () => {
  it('a good miner accepts, infers, and hosts what its manifest promises', async () => {
    await using meeting = await meet(['good', 'good', 'good', 'good', 'good', 'good', 'good', 'good']);
    const miner = meeting.fleet.miners.find(({ inferencePolls }) => inferencePolls === 2) ?? meeting.miner;
    const own: Meeting = { ...meeting, miner };

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

  it('a good miner that has the forecast already hands it out at once', async () => {
    await using meeting = await meet(['good', 'good', 'good', 'good', 'good', 'good', 'good', 'good']);
    const miner = meeting.fleet.miners.find(({ inferencePolls }) => inferencePolls === 0);
    if (miner === undefined) throw new Error('no miner of this seed is ready at once');
    const reply = await meeting.client.initiateFetch(miner, { initTime: T0 });

    expect(reply).toMatchObject({ kind: 'ready', jobId: toJobId(T0, miner.hotkey) });
    if (reply.kind !== 'ready' || reply.access === undefined) throw new Error('no access was given');
    expect(await meeting.client.fetchManifest(miner, reply.access)).toHaveProperty('signature');
    expect(meeting.fleet.requestCounts(miner.uid).poll_job_status).toBe(0);
  });

  it('a good miner asked again gives the same job, and makes its forecast once', async () => {
    const asked: SimulatedMiner[] = [];
    await using meeting = await meet(['copying'], {
      forecastFor: (miner) => {
        asked.push(miner);
        return smallForecast(miner);
      },
    });
    const jobIds = await Promise.all([acceptedJob(meeting), acceptedJob(meeting), acceptedJob(meeting)]);
    expect(new Set(jobIds).size).toBe(1);
    await pollToEnd(meeting, jobIds[0]);
    expect(await meeting.client.initiateFetch(meeting.miner, { initTime: T0 })).toMatchObject({
      kind: 'ready',
    });
    expect(asked.map(({ uid, profile }) => [uid, profile])).toEqual([[0, 'copying']]);
    expect(meeting.fleet.requestCounts(0)).toMatchObject({ initiate_fetch: 4, poll_job_status: 2 });
  });

  it('a good miner knows no other job, forecast or hotkey than its own', async () => {
    await using meeting = await meet(['copying']);
    const { client, miner } = meeting;
    expect(await client.pollJobStatus(miner, 'before')).toEqual({ kind: 'not_found' });
    const jobId = await acceptedJob(meeting);
    expect(await client.requestToken(miner, jobId)).toEqual({ kind: 'processing' });
    expect(await client.requestToken(miner, 'other')).toEqual({ kind: 'not_found' });
    expect(await client.initiateFetch(miner, { initTime: new Date(0) })).toMatchObject({ kind: 'error' });
    expect(await client.initiateFetch({ ...miner, hotkey: 'other' }, { initTime: T0 })).toMatchObject({
      kind: 'rejected',
      identity: true,
    });
  });
});

describe('the other parts', () => {
  it('slow: runs for many polls and tells a progress that grows', async () => {
    await using meeting = await meet(['slow']);
    const jobId = await acceptedJob(meeting);
    const progress: (number | null)[] = [];
    for (;;) {
      const reply = await meeting.client.pollJobStatus(meeting.miner, jobId);
      if (reply.kind !== 'running') break;
      progress.push(reply.progress);
    }
    expect(progress.length).toBeGreaterThanOrEqual(6);
    expect(progress[0]).toBe(0);
    expect(progress).toEqual(progress.toSorted((one, other) => Number(one) - Number(other)));
  });

  it('flaky: fails in every way, each time worth another attempt, and recovers', async () => {
    await using meeting = await meet(['flaky']);
    const { client, miner } = meeting;
    expect(await failuresBeforeSuccess(() => client.initiateFetch(miner, { initTime: T0 }))).toHaveLength(2);
    const jobId = toJobId(T0, miner.hotkey);
    const whilePolling = await failuresBeforeSuccess(() => client.pollJobStatus(miner, jobId));
    // A hanging request ends as a lost connection here, for the fleet gives up before the client does.
    expect(whilePolling.toSorted()).toEqual(['connection', 'connection', 'http_5xx']);
    expect((await pollToEnd(meeting, jobId)).at(-1)).toBe('completed');
    expect(await failuresBeforeSuccess(() => client.requestToken(miner, jobId))).toHaveLength(1);
    const access = await accessTo(meeting, jobId);
    expect(await failuresBeforeSuccess(() => client.fetchManifest(miner, access))).toHaveLength(1);
  });

  it('rejecting: says that it is another hotkey, and is given no forecast to make', async () => {
    let made = 0;
    await using meeting = await meet(['rejecting'], {
      forecastFor: async () => new Map([[String((made += 1)), new Uint8Array()]]),
    });
    const reply = await meeting.client.initiateFetch(meeting.miner, { initTime: T0 });
    expect(reply).toMatchObject({ kind: 'rejected', identity: true });
    expect(made).toBe(0);
  });

  it('offline: cannot be connected to', async () => {
    await using meeting = await meet(['offline']);
    const failure = await failureOf(meeting.client.initiateFetch(meeting.miner, { initTime: T0 }));
    expect(failure).toMatchObject({ category: 'connection', retryable: true });
    expect(meeting.fleet.requestCounts(0).initiate_fetch).toBe(0);
  });

  it('failing: accepts the job, and then tells why it failed', async () => {
    await using meeting = await meet(['failing']);
    const jobId = await acceptedJob(meeting);
    expect((await pollToEnd(meeting, jobId)).at(-1)).toBe('failed');
    expect(await meeting.client.pollJobStatus(meeting.miner, jobId)).toEqual({
      kind: 'failed',
      message: 'inference failed: CUDA out of memory',
    });
    expect(await meeting.client.requestToken(meeting.miner, jobId)).toMatchObject({ kind: 'error' });
  });

  it('tampering: its chunks no longer fit the manifest that was read', async () => {
    await using meeting = await meet(['tampering']);
    const jobId = await acceptedJob(meeting);
    await pollToEnd(meeting, jobId);
    const before = await readStoreFile(meeting, await accessTo(meeting, jobId), CHUNK);
    const chunkBefore = new Uint8Array(await before.arrayBuffer());
    const { files } = await verified(meeting, jobId);
    const after = await readStoreFile(meeting, await accessTo(meeting, jobId), CHUNK);

    expect(fileHash(CHUNK, chunkBefore)).toBe(files[CHUNK]);
    expect(fileHash(CHUNK, new Uint8Array(await after.arrayBuffer()))).not.toBe(files[CHUNK]);
  });

  it.each(['nan', 'copying'] as const)('%s: hosts what it was given for its part', async (profile) => {
    await using meeting = await meet([profile]);
    const jobId = await acceptedJob(meeting);
    await pollToEnd(meeting, jobId);
    await verified(meeting, jobId);
    const response = await readStoreFile(meeting, await accessTo(meeting, jobId), CHUNK);
    expect(await response.text()).toBe(`chunk of ${profile} miner 0`);
  });
});

describe('a hanging miner', () => {
  it('a hanging miner in real time outlasts the patience of a client, and does not keep the fleet from closing', async () => {
    await using meeting = await meet(['flaky'], { delayFactor: 1 });
    const hasty = createMinerClient({ timeouts: { poll: 40 } });
    const categories: (string | undefined)[] = [];
    for (let poll = 0; poll < 3; poll += 1) {
      categories.push((await failureOf(hasty.pollJobStatus(meeting.miner, 'any')))?.category);
    }
    expect(categories.toSorted()).toEqual(['connection', 'http_5xx', 'timeout']);
    await hasty.close();
  });
});

describe('sixteen miners at once', () => {
  it('sixteen miners at once come to the ends that their parts have', async () => {
    await using fleet = await meet(assignProfiles(16, SEED));
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
async function patiently<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 4 || !(error instanceof MinerCallError) || !error.retryable) throw error;
    }
  }
}

/** How far a validator comes with a miner. */
async function endOf(meeting: Meeting): Promise<string> {
  const { client, miner } = meeting;
  const failure = await failureOf(patiently(() => client.initiateFetch(miner, { initTime: T0 })));
  if (failure !== null) return failure.category;
  const reply = await client.initiateFetch(miner, { initTime: T0 });
  if (!('jobId' in reply)) return reply.kind;
  for (;;) {
    const { kind } = await patiently(() => client.pollJobStatus(miner, reply.jobId));
    if (kind === 'failed') return kind;
    if (kind === 'completed') break;
  }
  await patiently(() => verified(meeting, reply.jobId));
  return 'verified';
}
