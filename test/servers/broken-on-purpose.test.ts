import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TOO_LONG_SECONDS } from '#dashboards/rules/thresholds';
import { doctorCommand } from '#commands/doctor/doctor';
import { METRICS } from '#semconv/metrics';
import { invoke } from '../commands/support/invoke.ts';
import { startBrokenRun, type BrokenRun } from './support/broken-run.ts';
import { expectEndedWithRun, explained, lineThat, panelsOf } from './support/broken-checks.ts';
import { renderPage, renderTable, type BrokenRow } from './support/broken-table.ts';
import { makeBrokenWorld, withoutFields, type BrokenWorld } from './support/broken-world.ts';
import { hasProgram, tellSkipped } from './support/programs.ts';
import type { Culprits } from './support/showing-panels.ts';
import { mendWrites, slowWrites } from './support/slow-database.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'broken-on-purpose.md');
/** 200 s of production in a second: the six attempts at GFS take 40 s, and no limit is shorter than a step takes. */
const PACE = 0.005;
/** Its limits are minutes, and what it does in a second takes a second here, too. */
const RECORDER_PACE = 0.01;
const SCENARIOS = 7;
/** Leads of the world whose truth is due only after these days, hours. */
const NOT_DUE = [120, 240];
const SOON = { timeout: 30_000, interval: 200 };

const isThere = hasProgram('prometheus');
if (!isThere) tellSkipped('the test that breaks things on purpose', 'prometheus');

describe.skipIf(!isThere)('Runs broken on purpose', () => {
  let world: BrokenWorld;
  const rows: BrokenRow[] = [];
  let panelsThatShow = 0;
  beforeAll(async () => {
    world = await makeBrokenWorld(11);
  });
  afterAll(async () => {
    console.log(
      `broken on purpose: ${rows.length} things broken, each found by its alert, ${panelsThatShow} panels show them; ` +
        `${SCENARIOS - rows.length} failing\n${renderTable(rows)}`,
    );
    await world.close();
  });

  /** Waits for the alert, and asserts that it fires alone and that the panel shows the culprits then. */
  async function seen(
    run: BrokenRun,
    { alert, panel, uid, culprits }: { alert: string; panel: string; uid: number; culprits: Culprits },
  ) {
    const firing = await run.untilFiring(alert);
    expect([...new Set(firing.map(({ labels }) => labels['alertname']))]).toEqual([alert]);
    // An age that falls with every commit may be small for a moment while the alert fires.
    panelsThatShow += await vi.waitFor(async () => {
      const panels = await panelsOf(run, { world, uid, culprits });
      expect(panels).toContain(panel);
      return panels.length;
    }, SOON);
    return firing;
  }

  /** The run comes to its end, and no other alert has fired by then. */
  async function expectEnd(run: BrokenRun, alert: string): Promise<void> {
    expect(await run.ended()).toBe('completed');
    expect(await run.firedSoFar()).toEqual([alert]);
  }

  it('GFS is missing: the run waits, is reported late, and goes on once GFS is available', async () => {
    const alert = 'BarographGfsLate';
    let isThereNow = false;
    const { analysis } = world.stores;
    const run = await startBrokenRun({
      world,
      profiles: ['good', 'good'],
      stores: { analysis: () => Promise.resolve(isThereNow ? analysis : withoutFields(analysis)) },
      pipelinePace: PACE,
      recorderPace: RECORDER_PACE,
    });
    const panel = 'Run › What is stuck, and since when';
    const culprits: Culprits = [({ text }) => text.includes('truth_not_ready')];
    const firing = await seen(run, { alert, panel, uid: 0, culprits });
    expect(firing.map(({ labels }) => labels['run_id'])).toEqual([String(run.runId)]);
    const sentence = lineThat(/waits for GFS, and/, await explained(run, 0));
    isThereNow = true;
    await run.untilResolved(alert);
    await expectEnd(run, alert);
    rows.push({
      broken: 'GFS is missing: its store does not have the cycle',
      alert,
      limitSeconds: TOO_LONG_SECONDS.gfs,
      panel,
      command: 'barograph explain',
      sentence,
    });
  });

  it('a third of the miners is offline: one alert reports the common cause, and each miner is named', async () => {
    const alert = 'BarographManyMinersFailing';
    const run = await startBrokenRun({
      world,
      profiles: ['good', 'offline', 'good', 'good', 'offline', 'good', 'offline', 'good', 'good'],
      pipelinePace: PACE,
      recorderPace: RECORDER_PACE,
    });
    const panel = 'Run › Miners and the stages of their forecasts';
    const offline = run.miners.filter(({ profile }) => profile === 'offline');
    const culprits: Culprits = offline.map(
      ({ hotkey }) =>
        ({ text }) =>
          text.includes(hotkey) && text.includes('connection'),
    );
    await seen(run, { alert, panel, uid: 1, culprits });
    const sentence = lineThat(/^ {2}day1: /, await explained(run, 1));
    expect(sentence).toContain('Fault: miner');
    await expectEnd(run, alert);
    rows.push({
      broken: 'A third of the miners is offline: three of nine listen nowhere',
      alert,
      limitSeconds: 0,
      panel,
      command: 'barograph explain',
      sentence,
    });
  });

  it('one miner tampers: it alone is reported, and gets no score', async () => {
    const alert = 'BarographHashTampering';
    const run = await startBrokenRun({
      world,
      profiles: ['good', 'good', 'tampering', 'good', 'good'],
      pipelinePace: PACE,
      recorderPace: RECORDER_PACE,
    });
    const panel = 'Miner › Every attempt of the run';
    const culprits: Culprits = [({ text }) => text.includes('verification_chunk')];
    const firing = await seen(run, { alert, panel, uid: 2, culprits });
    expect(firing.map(({ labels }) => labels['miner_hotkey'])).toEqual([run.miners[2]?.hotkey]);
    const sentence = lineThat(/^ {2}day1: /, await explained(run, 2));
    expect(sentence).toContain('Fault: miner');
    await expectEnd(run, alert);
    rows.push({
      broken: 'One miner tampers: it swaps the bytes of its forecast after its manifest was frozen',
      alert,
      limitSeconds: 0,
      panel,
      command: 'barograph explain',
      sentence,
    });
  });

  it('truth is late: no miner is blamed, and the scores follow once it is available', async () => {
    const alert = 'BarographTruthLate';
    let isThereNow = false;
    const { truth } = world.stores;
    const run = await startBrokenRun({
      world,
      profiles: ['good', 'good', 'good'],
      stores: { truth: () => Promise.resolve(isThereNow ? truth : withoutFields(truth)) },
      pipelinePace: PACE,
      recorderPace: RECORDER_PACE,
    });
    const panel = 'Run › Leads that wait for truth';
    const culprits: Culprits = [
      ({ row }) => row['lead_hours'] === 24 && Number(row['late_by']) > TOO_LONG_SECONDS.truth,
    ];
    await seen(run, { alert, panel, uid: 0, culprits });
    const sentence = lineThat(/^ {2}era5 24 h: /, await explained(run, 0));
    expect(sentence).toContain('Fault: upstream');
    isThereNow = true;
    await run.untilResolved(alert);
    await expectEnd(run, alert);
    rows.push({
      broken: 'Truth is late: the store of ERA5 does not have the lead a day after it was due',
      alert,
      limitSeconds: TOO_LONG_SECONDS.truth,
      panel,
      command: 'barograph explain',
      sentence,
    });
  });

  it('the database is slow: steps go on, records wait, and all of them are delivered in the end', async () => {
    const alert = 'BarographRecorderNotDelivering';
    const batchSeconds = 8;
    const run = await startBrokenRun(
      {
        world,
        profiles: ['good', 'good', 'good'],
        pipelinePace: RECORDER_PACE,
        recorderPace: RECORDER_PACE,
      },
      ({ pool }) => slowWrites(pool, batchSeconds),
    );
    const panel = 'Recorder › Age of the oldest span that waits';
    const limit = TOO_LONG_SECONDS.delivery * RECORDER_PACE;
    const culprits: Culprits = [
      ({ query, row }) => query.includes(METRICS.recorderOldestAge.name) && Number(row['value']) > limit,
    ];
    await seen(run, { alert, panel, uid: 0, culprits });
    const sentence = await vi.waitFor(async () => {
      const { stdout } = await invoke(doctorCommand(), [], {
        DATABASE_URL: run.database.connectionString,
      });
      return lineThat(/the database is slow/, stdout.split('\n'));
    }, SOON);
    await mendWrites(run.database.pool);
    await run.untilResolved(alert);
    await expectEnd(run, alert);
    expect(await run.close()).toMatchObject({ lost: 0, waiting: 0 });
    rows.push({
      broken: 'The database is slow: it takes seconds to write what a recorder hands over',
      alert,
      limitSeconds: TOO_LONG_SECONDS.delivery,
      panel,
      command: 'barograph doctor',
      sentence,
    });
  });

  it('GFS is missing for good: the run fails and is told, and its miners are excused', async () => {
    const [late, alert] = ['BarographGfsLate', 'BarographRunFailed'];
    const run = await startBrokenRun({
      world,
      profiles: ['good', 'good', 'good', 'good'],
      stores: { analysis: () => Promise.resolve(withoutFields(world.stores.analysis)) },
      pipelinePace: PACE,
      recorderPace: RECORDER_PACE,
    });
    await run.untilFiring(late);
    expect(await run.ended()).toBe('failed');
    await run.untilResolved(late);
    const panel = 'Run › Decisions of the orchestrator';
    const culprits: Culprits = [({ text }) => text.includes('GFS could not be read (truth_not_ready)')];
    const firing = await seen(run, { alert, panel, uid: 0, culprits });
    expect(firing.map(({ labels }) => [labels['run_id'], labels['run_status']])).toEqual([
      [String(run.runId), 'failed'],
    ]);
    await expectEndedWithRun(run, 'truth_not_ready upstream');
    const lines = await explained(run, 0);
    expect(lines[0]).toContain(': failed, stage gfs_fetch; has no score.');
    expect(lines.join('\n')).not.toMatch(/tried again at|still to come|Next try/);
    const sentence = lineThat(/^ {2}day1: /, lines);
    expect(sentence).toMatch(/Fault: upstream\. No retry will come\.$/);
    expect(await run.firedSoFar()).toEqual([late, alert]);
    rows.push({
      broken: 'GFS is missing for good: its store never gets the cycle',
      alert,
      before: late,
      limitSeconds: 0,
      panel,
      command: 'barograph explain',
      sentence,
    });
  });

  it('a run is abandoned while leads wait for ERA5: it is told, nothing waits any more, and no miner is blamed', async () => {
    const alert = 'BarographRunFailed';
    const run = await startBrokenRun({
      world,
      profiles: ['good', 'good', 'good', 'good'],
      leads: NOT_DUE,
      pipelinePace: PACE,
      recorderPace: RECORDER_PACE,
    });
    await vi.waitFor(async () => {
      const { rows: waits } = await run.database.pool.query(
        'select * from scheduled_retries where waits_for_truth',
      );
      expect(waits).toHaveLength(run.miners.length * NOT_DUE.length);
    }, SOON);
    await run.abandon();
    expect(await run.ended()).toBe('stale_abandoned');
    const panel = 'Run › Decisions of the orchestrator';
    const culprits: Culprits = [({ text }) => text.includes('The user ended it before its time.')];
    const firing = await seen(run, { alert, panel, uid: 0, culprits });
    expect(firing.map(({ labels }) => labels['run_status'])).toEqual(['stale_abandoned']);
    await expectEndedWithRun(run, 'validator_internal validator');
    const lines = await explained(run, 0);
    expect(lines[0]).toContain(': failed, stage era5_scoring_');
    expect(lines.join('\n')).not.toMatch(/waits until|still to come|Looked for again/);
    const sentence = lineThat(/^ {2}era5 /, lines);
    expect(sentence).toMatch(/Fault: validator\. No retry will come\.$/);
    expect(await run.firedSoFar()).toEqual([alert]);
    rows.push({
      broken: 'A run is abandoned: Ctrl-C while its leads wait for ERA5',
      alert,
      limitSeconds: 0,
      panel,
      command: 'barograph explain',
      sentence,
    });
  });

  it('docs/broken-on-purpose.md holds the table of these runs', async () => {
    expect(rows).toHaveLength(SCENARIOS);
    if (process.env['BAROGRAPH_WRITE_DOCS'] === '1') await writeFile(PAGE, renderPage(rows));
    expect(await readFile(PAGE, 'utf8')).toBe(renderPage(rows));
  });
});
