import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFleet } from '../../src/fleet/index.ts';
import { openGridStore } from '../../src/grids/index.ts';
import { createPipeline } from '../../src/pipeline/index.ts';
import { createMinerClient } from '../../src/pipeline/miners/index.ts';
import { makeDemonstrationWorld, makeSimulatedForecast } from '../../src/world/index.ts';
import { ERA5_LEAD_HOURS } from '../../src/semconv/index.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { captureSpans } from './support/captured-spans.ts';

it('smoke', async () => {
  const spans = captureSpans();
  const initTime = new Date('2026-11-23T00:00:00Z');
  const world = await makeDemonstrationWorld({ initTime, seed: 1, directory: await mkdtemp(join(tmpdir(), 'w-')) });
  const truth = await openGridStore(world.truth);
  const climatology = await openGridStore(world.climatology);
  const reference = await openGridStore(world.reference);
  const db = await createTestDatabase();
  const delayFactor = 1e-5;
  const fleet = await startFleet({ count: 16, seed: 1, initTime, delayFactor: 0.001,
    forecastFor: (m) => makeSimulatedForecast({ truth, climatology, initTime, leads: [12, ...ERA5_LEAD_HOURS], quality: m.quality, seed: m.seed, zarrFormat: 2,
      corruption: m.profile === 'nan' ? 'nan' : 'none', ...(m.profile === 'copying' && { copyOfReference: reference }) }) });
  const client = createMinerClient({ timeouts: { initiateFetch: 300, poll: 300, token: 5000 } });
  const problems: string[] = [];
  const pipeline = createPipeline({ connectionString: db.connectionString, delayFactor, queuePollMillis: 50, minerClient: client, onProblem: (m) => { if (problems.length < 4) problems.push(m); if (problems.length < 3) console.log(m.slice(0, 600)); },
    stores: { truth: () => openGridStore(world.truth), climatology, reference, analysis: await openGridStore(world.analysis) } });
  const t0 = Date.now();
  const runId = await pipeline.createRun({ validatorHotkey: '5Validator', initTime, miners: fleet.miners });
  await pipeline.start();
  const timer = setInterval(() => void pipeline.progress(runId).then((p) => console.log(Date.now() - t0, JSON.stringify(p))), 15000);
  await pipeline.finished(runId).catch((e) => console.log(e));
  clearInterval(timer);
  console.log(Date.now() - t0, JSON.stringify(await pipeline.progress(runId)));
  const { rows } = await db.pool.query('select miner_uid, state, failed_step, failure_category, failure_message from pipeline.run_miners order by 1');
  for (const r of rows) console.log(fleet.miners[r.miner_uid]?.profile, JSON.stringify(r));
  console.log((await db.pool.query(`select score_type, state, failure_category, failure_message, count(*), avg(score) from pipeline.leads group by 1,2,3,4`)).rows);
  console.log((await db.pool.query(`select task_identifier, attempts, max_attempts, last_error from pipeline.jobs`)).rows);
  const counts: Record<string, number> = {};
  for (const s of spans.of()) { const k = [s.attributes['weather.step.name'], s.attributes['weather.step.substep'], s.attributes['weather.step.status'], s.attributes['error.type']].join(' '); counts[k] = (counts[k] ?? 0) + 1; }
  console.log(counts, problems);
  const s = spans.of('era5')[40]; console.log(s?.attributes, s?.events.length, s?.events[0]);
  const d = spans.of('day1')[2]; console.log(d?.attributes, d?.events);
  await pipeline.stop(); await fleet.close(); await client.close(); await db.drop();
  expect(true).toBe(true);
}, 60_000);
