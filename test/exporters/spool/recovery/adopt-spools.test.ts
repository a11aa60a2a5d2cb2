import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportOptions, ExportReport, SpanSink } from '#exporters/export-report';
import { adoptSpools, type AdoptionOptions } from '#spool/recovery/adopt-spools';
import { Spool } from '#spool/spool';
import { segmentPath } from '#spool/segments/segment-files';
import { claimFolder } from '#spool/spool-folder';
import type { ObservedSpan } from '#facts/observed-span';
import { identifyProcess } from '#processes/process-identity';
import { temporaryFolder } from '#test/support/temporary-folder';
import { ManualScheduler } from '#test/exporters/processor/manual-scheduler';
import { EMITTER, keyOf, spanOf, startOfSpan } from '../support/spool-bench.ts';

const SETTINGS = { segmentBytes: 4096, limitBytes: 1_000_000, durability: 'system' as const };
const SILENT = { dropped: () => undefined, added: () => undefined };

/** A spool of a dead process with some records in it. */
function leaveSpool(root: string, name: string, spans: readonly ObservedSpan[]): string {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  const emitter = { ...EMITTER, instanceId: name };
  const spool = new Spool({ ...SETTINGS, directory, emitter, listener: SILENT });
  for (const span of spans) {
    spool.push(span, 0);
    spool.flushNow();
  }
  spool.close();
  return directory;
}

/** A sink that takes everything, unless it is away. */
class Outside implements SpanSink {
  readonly spans: ObservedSpan[] = [];
  readonly accounts: EmitterAccount[] = [];
  /** What it does instead of taking a batch. */
  instead: ((spans: readonly ObservedSpan[]) => ExportReport | undefined) | null = null;

  async export(spans: readonly ObservedSpan[], { account }: ExportOptions = {}): Promise<ExportReport> {
    const report = this.instead?.(spans);
    if (report !== undefined) return report;
    this.spans.push(...spans);
    if (account !== undefined) this.accounts.push(account);
    return { kind: 'written' };
  }

  get instances(): string[] {
    return this.accounts.map(({ instanceId }) => instanceId);
  }
}

const AWAY: ExportReport = { kind: 'retryable', error: new Error('away') };

async function rig(changes: Partial<AdoptionOptions> = {}) {
  const root = await temporaryFolder();
  const outside = new Outside();
  const reports = {
    problems: [] as string[],
    closings: [] as ObservedSpan[],
    dropped: {} as Record<string, number>,
  };
  const state = { isStopped: false, pauses: 0 };
  const options: AdoptionOptions = {
    ...SETTINGS,
    root,
    sink: outside,
    delivery: {
      sink: outside,
      scheduler: new ManualScheduler(),
      random: () => 1,
      backoff: { firstMillis: 1, maxMillis: 1 },
      exportTimeoutMillis: null,
      signal: new AbortController().signal,
      isStopped: () => state.isStopped,
      onRetry: () => undefined,
      // The process ends while the sink is away.
      pause: async () => {
        state.pauses += 1;
        state.isStopped = state.pauses >= 3;
      },
    },
    maxBatchSize: 3,
    onClosed: (closings) => reports.closings.push(...closings),
    onDropped: (reason, records) => (reports.dropped[reason] = (reports.dropped[reason] ?? 0) + records),
    onProblem: (message) => reports.problems.push(message),
    ...changes,
  };
  return { root, outside, reports: reports, state, adopt: () => adoptSpools(options) };
}

const contentOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString('base64')]),
  );
const spans = (...at: readonly number[]): ObservedSpan[] => at.map((one) => spanOf(one));

describe('the spool of a living process', () => {
  it('the spool of a living process is never touched, when the process is this one', async () => {
    const { root, outside, adopt } = await rig();
    const directory = leaveSpool(root, 'mine', spans(1, 2));
    await claimFolder(root, 'mine');
    const before = contentOf(directory);
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    expect(contentOf(directory)).toEqual(before);
    expect(outside.spans).toEqual([]);
  });

  it('the spool of a living process is never touched, when the process is another one, and is taken over once that is dead', async () => {
    const { root, outside, adopt } = await rig();
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const directory = leaveSpool(root, 'another', spans(1, 2));
    writeFileSync(join(directory, 'owner'), `${identifyProcess(child.pid ?? 0) ?? ''} token`);
    const before = contentOf(directory);
    expect(await adopt()).toMatchObject({ spools: 0 });
    expect(contentOf(directory)).toEqual(before);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await adopt()).toEqual({ spools: 1, records: 2, closedSteps: 0 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 2).map(keyOf));
  });

  it('the spool of a living process that is taken over by a third one is left to it, from the next batch on', async () => {
    const { root, outside, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', spans(1, 2, 3, 4, 5));
    outside.instead = () => {
      writeFileSync(join(directory, 'owner'), '1-1 third elsewhere');
      return undefined;
    };
    expect(await adopt()).toMatchObject({ spools: 0 });
    expect(outside.spans).toHaveLength(3);
    expect(readFileSync(join(directory, 'owner'), 'utf8'), 'its lock stays').toBe('1-1 third elsewhere');
  });
});

describe('the spools of dead processes', () => {
  it('the spools of dead processes are drained one after the other, each in its order, told to be closed, and gone', async () => {
    const { root, outside, reports: reports, adopt } = await rig();
    leaveSpool(root, 'b', spans(11, 12));
    leaveSpool(root, 'a', spans(1, 2, 3, 4));
    expect(await adopt()).toEqual({ spools: 2, records: 6, closedSteps: 0 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 2, 3, 4, 11, 12).map(keyOf));
    expect(outside.instances).toEqual(['a', 'a', 'a', 'b', 'b']);
    for (const account of [outside.accounts[2], outside.accounts[4]])
      expect(account).toMatchObject({ isOwn: false, isClosed: true });
    expect(readdirSync(root)).toEqual([]);
    expect(reports).toEqual({ problems: [], closings: [], dropped: {} });
  });

  it('the spools of dead processes have the steps closed that were under way, and whoever shows traces hears of each once', async () => {
    const { root, outside, reports: reports, state, adopt } = await rig();
    leaveSpool(root, 'dead', [startOfSpan(spanOf(0)), ...spans(1)]);
    outside.instead = () => AWAY;
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 1 });
    outside.instead = null;
    state.isStopped = false;
    expect(await adopt()).toEqual({ spools: 1, records: 3, closedSteps: 0 });
    expect(reports.closings.map(keyOf)).toEqual([keyOf(spanOf(0))]);
    expect(outside.spans.at(-1)?.attributes).toMatchObject({ 'weather.closing.reason': 'process_crash' });
  });

  it('the spools of dead processes may end within a record, whose writer was killed in a write: nothing is missing, and nobody is bothered', async () => {
    const { root, outside, reports: reports, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', [startOfSpan(spanOf(0)), ...spans(1)]);
    // The books of a killed process are those of its last new segment.
    rmSync(join(directory, 'books'));
    const bytes = readFileSync(segmentPath(directory, 1));
    writeFileSync(segmentPath(directory, 1), Buffer.concat([bytes, bytes.subarray(0, bytes.length / 3)]));
    expect(await adopt()).toEqual({ spools: 1, records: 3, closedSteps: 1 });
    expect(reports).toMatchObject({ problems: [], dropped: {} });
    expect(outside.accounts.at(-1)).toMatchObject({ isClosed: true, lastSequence: 3, deliveredSequence: 3 });
    expect(outside.accounts.flatMap(({ received }) => received)).toEqual([[1, 3]]);
  });

  it('the spools of dead processes stay while the sink is away: it is given up when it is told to stop, nothing is lost, and it is found again', async () => {
    const { root, outside, state, adopt } = await rig();
    leaveSpool(root, 'a', spans(1, 2, 3, 4, 5));
    leaveSpool(root, 'b', spans(6));
    let batches = 0;
    outside.instead = () => ((batches += 1) > 1 ? AWAY : undefined);
    expect(await adopt()).toMatchObject({ spools: 0 });
    expect(readdirSync(root), 'the second was not begun').toEqual(['a', 'b']);
    expect(outside.spans).toHaveLength(3);
    outside.instead = null;
    state.isStopped = false;
    expect(await adopt()).toMatchObject({ spools: 2, records: 3 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 2, 3, 4, 5, 6).map(keyOf));
    expect(readdirSync(root)).toEqual([]);
  });

  it('the spools of dead processes stay when only their last word could not be told', async () => {
    const { root, outside, state, adopt } = await rig();
    leaveSpool(root, 'dead', spans(1));
    outside.instead = (batch) => (batch.length === 0 ? AWAY : undefined);
    expect(await adopt()).toMatchObject({ spools: 0 });
    outside.instead = null;
    state.isStopped = false;
    await adopt();
    expect(outside.spans).toHaveLength(1);
    expect(outside.accounts.at(-1)).toMatchObject({ isClosed: true, lastSequence: 1, deliveredSequence: 1 });
    expect(readdirSync(root)).toEqual([]);
  });

  it('the spools of dead processes count what is refused and not even deadLettered', async () => {
    const { root, outside, reports: reports, adopt } = await rig();
    leaveSpool(root, 'dead', spans(1, 2, 3, 4));
    const poison = keyOf(spanOf(2));
    outside.instead = (batch) =>
      batch.some((span) => keyOf(span) === poison) ? { kind: 'rejected', error: new Error('no') } : undefined;
    expect(await adopt()).toMatchObject({ spools: 1 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 3, 4).map(keyOf));
    expect(reports.dropped).toEqual({ rejected: 1 });
  });

  it('the spools of dead processes do not wait for one that cannot be taken over, which is told', async () => {
    const { root, outside, reports: reports, adopt } = await rig();
    const broken = leaveSpool(root, 'a', spans(1));
    rmSync(join(broken, 'books'));
    mkdirSync(join(broken, 'books'));
    leaveSpool(root, 'b', spans(2));
    expect(await adopt()).toMatchObject({ spools: 1, records: 1 });
    expect(outside.instances).toEqual(['b', 'b']);
    expect(reports.problems).toEqual([expect.stringContaining(`it stays in ${broken}`)]);
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('the spools of dead processes are none where there is no folder at all', async () => {
    const { adopt } = await rig({ root: '/nowhere/at/all' });
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 0 });
  });
});

describe('a spool that was damaged', () => {
  it('a spool that was damaged is told, and what stands around the damage is delivered', async () => {
    const { root, outside, reports: reports, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', spans(1, 2, 3));
    const bytes = readFileSync(segmentPath(directory, 1));
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(segmentPath(directory, 1), bytes);
    expect(await adopt()).toMatchObject({ spools: 1, records: 2 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 3).map(keyOf));
    expect(reports.problems).toEqual([`1 stretches of ${directory} held no record.`]);
    expect(outside.accounts.map(({ received }) => received)).toEqual([
      [
        [1, 1],
        [3, 3],
      ],
      [],
    ]);
  });

  it('a spool that was damaged beyond reading is put aside for a person to look at, and never looked at again', async () => {
    const { root, reports: reports, adopt } = await rig();
    const directory = join(root, 'dead');
    mkdirSync(directory);
    writeFileSync(segmentPath(directory, 1), 'no records');
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    expect(reports.problems).toEqual([`No record can be read in ${directory}.unreadable; it was put aside.`]);
    await adopt();
    expect(reports.problems).toHaveLength(1);
    expect(contentOf(`${directory}.unreadable`)).toEqual({
      '0000000001.segment': Buffer.from('no records').toString('base64'),
    });
  });
});

describe('a folder without records', () => {
  it('a folder without records goes without a word: whether it is empty, or has a file of no bytes, or books in which nothing is counted', async () => {
    const { root, outside, reports: reports, adopt } = await rig();
    mkdirSync(join(root, 'empty'));
    mkdirSync(join(root, 'no-bytes'));
    writeFileSync(segmentPath(join(root, 'no-bytes'), 1), '');
    leaveSpool(root, 'unused', []);
    await adopt();
    expect(readdirSync(root)).toEqual([]);
    expect([outside.accounts, reports.problems]).toEqual([[], []]);
  });

  it('a folder without records stays for the sake of any file that is not ours', async () => {
    const { root, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', spans(1));
    writeFileSync(join(directory, 'notes.txt'), 'of a person');
    expect(await adopt()).toMatchObject({ spools: 1, records: 1 });
    await adopt();
    expect(readdirSync(directory)).toEqual(['notes.txt']);
  });
});
