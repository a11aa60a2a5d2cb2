import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportOptions, ExportReport, SpanSink } from '#exporters/export-report';
import { adoptSpools, type AdoptionOptions } from '#spool/recovery/adopt-spools';
import { Spool } from '#spool/spool';
import { encodeFrame } from '#spool/format/frame';
import { segmentPath } from '#spool/segments/segment-files';
import { claimFolder, claimOrphan } from '#spool/spool-folder';
import type { ObservedSpan } from '#facts/observed-span';
import { identifyProcess } from '#processes/process-identity';
import { temporaryFolder } from '#test/support/temporary-folder';
import { deliveryTo } from '#test/exporters/processor/support/delivery';
import { adoptInto } from '../support/adopt-into.ts';
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

/** A sink that accepts everything, unless an outcome is scripted. */
class Outside implements SpanSink {
  readonly spans: ObservedSpan[] = [];
  readonly accounts: EmitterAccount[] = [];
  /** Scripted outcome; undefined accepts the batch. */
  outcome: ((spans: readonly ObservedSpan[]) => ExportReport | undefined) | null = null;

  async export(spans: readonly ObservedSpan[], { account }: ExportOptions = {}): Promise<ExportReport> {
    const report = this.outcome?.(spans);
    if (report !== undefined) return report;
    this.spans.push(...spans);
    if (account !== undefined) this.accounts.push(account);
    return { kind: 'written' };
  }

  get instances(): string[] {
    return this.accounts.map(({ instanceId }) => instanceId);
  }
}

const UNAVAILABLE: ExportReport = { kind: 'retryable', error: new Error('unavailable') };

async function rig(changes: Partial<AdoptionOptions> = {}) {
  const root = await temporaryFolder();
  const outside = new Outside();
  const reported = {
    problems: [] as string[],
    closings: [] as ObservedSpan[],
    dropped: {} as Record<string, number>,
  };
  const state = { isStopped: false, pauses: 0 };
  const options: AdoptionOptions = {
    ...SETTINGS,
    root,
    sink: outside,
    delivery: deliveryTo(outside, {
      isStopped: () => state.isStopped,
      // Stops the delivery after three retries.
      pause: async () => {
        state.pauses += 1;
        state.isStopped = state.pauses >= 3;
      },
    }),
    maxBatchSize: 3,
    onClosed: (closings) => reported.closings.push(...closings),
    onDropped: (reason, records) => (reported.dropped[reason] = (reported.dropped[reason] ?? 0) + records),
    onProblem: (message) => reported.problems.push(message),
    ...changes,
  };
  return { root, outside, reported, state, adopt: () => adoptSpools(options) };
}

const contentOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString('base64')]),
  );
const spans = (...at: readonly number[]): ObservedSpan[] => at.map((one) => spanOf(one));

describe('adoptSpools: living owners', () => {
  it('a spool or a root that cannot be claimed is named, and stays', async () => {
    const [root, file] = [await temporaryFolder(), join(await temporaryFolder(), 'file')];
    const directory = leaveSpool(root, 'x'.repeat(250), [spanOf(1)]);
    const adoption = await adoptInto(root);
    expect(adoption).toMatchObject({
      spans: [],
      problems: [expect.stringMatching(/cannot be adopted.*ENAMETOOLONG/)],
    });
    expect(readdirSync(directory)).toContain('books');
    writeFileSync(file, '');
    expect((await adoptInto(file)).problems).toEqual([expect.stringMatching(/cannot be adopted.*ENOTDIR/)]);
  });

  it('the spool of this process is not changed', async () => {
    const { root, outside, adopt } = await rig();
    const directory = leaveSpool(root, 'mine', spans(1, 2));
    await claimFolder(root, 'mine');
    const before = contentOf(directory);
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    expect(contentOf(directory)).toEqual(before);
    expect(outside.spans).toEqual([]);
  });

  it('the spool of another living process is adopted only once that is dead', async () => {
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

  it('a spool whose lock is lost during the delivery is abandoned at the next batch', async () => {
    const { root, outside, adopt } = await rig();
    leaveSpool(root, 'dead', spans(1, 2, 3, 4, 5));
    const ownerOf = (): string => join(root, readdirSync(root)[0] ?? '', 'owner');
    outside.outcome = () => {
      writeFileSync(ownerOf(), '1-1 third elsewhere');
      return undefined;
    };
    expect(await adopt()).toMatchObject({ spools: 0 });
    expect(outside.spans).toHaveLength(3);
    expect(readFileSync(ownerOf(), 'utf8'), 'its lock stays').toBe('1-1 third elsewhere');
  });
});

describe('adoptSpools: dead owners', () => {
  it('orphaned spools are delivered one by one in order, reported as closed, and removed', async () => {
    const { root, outside, reported, adopt } = await rig();
    leaveSpool(root, 'b', spans(11, 12));
    leaveSpool(root, 'a', spans(1, 2, 3, 4));
    expect(await adopt()).toEqual({ spools: 2, records: 6, closedSteps: 0 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 2, 3, 4, 11, 12).map(keyOf));
    expect(outside.instances).toEqual(['a', 'a', 'a', 'b', 'b']);
    for (const account of [outside.accounts[2], outside.accounts[4]])
      expect(account).toMatchObject({ isOwn: false, isClosed: true });
    expect(readdirSync(root)).toEqual([]);
    expect(reported).toEqual({ problems: [], closings: [], dropped: {} });
  });

  it('a folder is renamed before it is read, and one whose adopter died is adopted again', async () => {
    const { root, outside, adopt } = await rig();
    leaveSpool(root, 'dead', spans(1, 2));
    const claimed = await claimOrphan(root, 'dead');
    const [name = ''] = readdirSync(root);
    expect(name).toMatch(/^dead\.adopting-[0-9a-f]{8}$/);
    expect(claimed).toMatchObject({ directory: join(root, name) });
    expect(await adopt(), 'its adopter lives').toMatchObject({ spools: 0 });
    writeFileSync(join(root, name, 'owner'), '4194305-7 token');
    outside.outcome = () => {
      expect(readdirSync(root)).toEqual([expect.stringMatching(/^dead\.adopting-[0-9a-f]{8}$/)]);
      expect(readdirSync(root)).not.toEqual([name]);
      return undefined;
    };
    expect(await adopt()).toMatchObject({ spools: 1, records: 2 });
    expect(readdirSync(root)).toEqual([]);
  });

  it('open steps are closed, and each closing is passed to the traces once', async () => {
    const { root, outside, reported, state, adopt } = await rig();
    leaveSpool(root, 'dead', [startOfSpan(spanOf(0)), ...spans(1)]);
    outside.outcome = () => UNAVAILABLE;
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 1 });
    outside.outcome = null;
    state.isStopped = false;
    expect(await adopt()).toEqual({ spools: 1, records: 3, closedSteps: 0 });
    expect(reported.closings.map(keyOf)).toEqual([keyOf(spanOf(0))]);
    expect(outside.spans.at(-1)?.attributes).toMatchObject({ 'weather.closing.reason': 'process_crash' });
  });

  it('a record that was torn by a kill is neither missing nor reported as damage', async () => {
    const { root, outside, reported, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', [startOfSpan(spanOf(0)), ...spans(1)]);
    // The books of a killed process are those of its last new segment.
    rmSync(join(directory, 'books'));
    writeTorn(segmentPath(directory, 1), 4096);
    expect(await adopt()).toEqual({ spools: 1, records: 3, closedSteps: 1 });
    expect(reported).toMatchObject({ problems: [], dropped: {} });
    expect(outside.accounts.at(-1)).toMatchObject({ isClosed: true, lastSequence: 3, deliveredSequence: 3 });
    expect(outside.accounts.flatMap(({ received }) => received)).toEqual([[1, 3]]);
  });

  it('a record that is torn within a page was cut off by somebody: it is kept, named, and its books stay open', async () => {
    const { root, outside, reported, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', spans(1, 2));
    writeTorn(segmentPath(directory, 1), 4095);
    expect(await adopt()).toMatchObject({ spools: 1, records: 2 });
    expect(outside.accounts.at(-1)).toMatchObject({ isClosed: false, lastSequence: 2 });
    expect(reported.problems).toHaveLength(1);
    expect(reported.problems[0]).toContain('torn at its end');
    expect(readdirSync(root)).toEqual(['dead.unreadable']);
  });

  it('a spool stays when the delivery is stopped, and the next adoption delivers the rest', async () => {
    const { root, outside, state, adopt } = await rig();
    leaveSpool(root, 'a', spans(1, 2, 3, 4, 5));
    leaveSpool(root, 'b', spans(6));
    let batches = 0;
    outside.outcome = () => ((batches += 1) > 1 ? UNAVAILABLE : undefined);
    expect(await adopt()).toMatchObject({ spools: 0 });
    expect(readdirSync(root), 'the second one is untouched').toEqual(['a', 'b']);
    expect(outside.spans).toHaveLength(3);
    outside.outcome = null;
    state.isStopped = false;
    expect(await adopt()).toMatchObject({ spools: 2, records: 3 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 2, 3, 4, 5, 6).map(keyOf));
    expect(readdirSync(root)).toEqual([]);
  });

  it('a spool stays when only its final account could not be exported', async () => {
    const { root, outside, state, adopt } = await rig();
    leaveSpool(root, 'dead', spans(1));
    outside.outcome = (batch) => (batch.length === 0 ? UNAVAILABLE : undefined);
    expect(await adopt()).toMatchObject({ spools: 0 });
    outside.outcome = null;
    state.isStopped = false;
    await adopt();
    expect(outside.spans).toHaveLength(1);
    expect(outside.accounts.at(-1)).toMatchObject({ isClosed: true, lastSequence: 1, deliveredSequence: 1 });
    expect(readdirSync(root)).toEqual([]);
  });

  it('a rejected span that becomes no dead letter is counted', async () => {
    const { root, outside, reported, adopt } = await rig();
    leaveSpool(root, 'dead', spans(1, 2, 3, 4));
    const poison = keyOf(spanOf(2));
    outside.outcome = (batch) =>
      batch.some((span) => keyOf(span) === poison) ? { kind: 'rejected', error: new Error('no') } : undefined;
    expect(await adopt()).toMatchObject({ spools: 1 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 3, 4).map(keyOf));
    expect(reported.dropped).toEqual({ rejected: 1 });
  });

  it('a spool that cannot be recovered is reported and does not block the others', async () => {
    const { root, outside, reported, adopt } = await rig();
    const broken = leaveSpool(root, 'a', spans(1));
    rmSync(join(broken, 'books'));
    mkdirSync(join(broken, 'books'));
    leaveSpool(root, 'b', spans(2));
    expect(await adopt()).toMatchObject({ spools: 1, records: 1 });
    expect(outside.instances).toEqual(['b', 'b']);
    expect(reported.problems).toEqual([expect.stringContaining(`it stays in ${broken}`)]);
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('a missing root has no spools to adopt', async () => {
    const { adopt } = await rig({ root: '/nowhere/at/all' });
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 0 });
  });
});

describe('adoptSpools: damaged spools', () => {
  it('damage is reported, and the records around it are delivered', async () => {
    const { root, outside, reported, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', spans(1, 2, 3));
    const bytes = readFileSync(segmentPath(directory, 1));
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(segmentPath(directory, 1), bytes);
    expect(await adopt()).toMatchObject({ spools: 1, records: 2 });
    expect(outside.spans.map(keyOf)).toEqual(spans(1, 3).map(keyOf));
    expect(reported.problems).toEqual([
      `Records in ${directory}.unreadable cannot be read: segment 1 (damaged). Segments with ${bytes.length} bytes are ` +
        `kept there; look at them with \`barograph spools inspect ${directory}.unreadable\`. What could be read was ` +
        'delivered; the rest counts as missing.',
    ]);
    expect(outside.accounts.at(-1)).toMatchObject({ isClosed: false, lastSequence: 3, deliveredSequence: 3 });
    expect(readFileSync(segmentPath(`${directory}.unreadable`, 1))).toEqual(bytes);
    expect(outside.accounts.map(({ received }) => received)).toEqual([
      [
        [1, 1],
        [3, 3],
      ],
      [],
    ]);
  });

  it('a spool that nobody can be named for is set aside whole and never adopted again', async () => {
    const { root, reported, adopt } = await rig();
    const directory = join(root, 'dead');
    mkdirSync(directory);
    writeFileSync(segmentPath(directory, 1), 'no records');
    expect(await adopt()).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    expect(reported.problems).toEqual([
      expect.stringContaining(
        `Records in ${directory}.unreadable cannot be read: neither books nor a record`,
      ),
    ]);
    await adopt();
    expect(reported.problems).toHaveLength(1);
    expect(contentOf(`${directory}.unreadable`)).toEqual({
      '0000000001.segment': Buffer.from('no records').toString('base64'),
    });
  });
});

/** Appends a record of two pages and cuts the file. */
function writeTorn(path: string, bytes: number): void {
  const torn = encodeFrame({ kind: 'whole', sequence: 4, payload: Buffer.alloc(8192) });
  writeFileSync(path, Buffer.concat([readFileSync(path), torn]).subarray(0, bytes));
}

describe('adoptSpools: folders without records', () => {
  it('a folder that is empty or has empty files is removed silently, and empty books are closed', async () => {
    const { root, outside, reported, adopt } = await rig();
    mkdirSync(join(root, 'empty'));
    mkdirSync(join(root, 'no-bytes'));
    writeFileSync(segmentPath(join(root, 'no-bytes'), 1), '');
    leaveSpool(root, 'unused', []);
    await adopt();
    expect(readdirSync(root)).toEqual([]);
    expect(outside.accounts).toMatchObject([{ lastSequence: 0, isClosed: true }]);
    expect(reported.problems).toEqual([]);
  });

  it('a folder whose maker was killed before it had its name is removed, and one without a lock is let be', async () => {
    const { root, reported, adopt } = await rig();
    for (const name of ['.new-locked', '.new-unlocked']) mkdirSync(join(root, name));
    writeFileSync(join(root, '.new-locked', 'owner'), '4194305-7 token');
    await adopt();
    expect(readdirSync(root)).toEqual(['.new-unlocked']);
    expect(reported.problems).toEqual([]);
  });

  it('a folder with a foreign file is kept', async () => {
    const { root, adopt } = await rig();
    const directory = leaveSpool(root, 'dead', spans(1));
    writeFileSync(join(directory, 'notes.txt'), 'of a person');
    expect(await adopt()).toMatchObject({ spools: 1, records: 1 });
    await adopt();
    expect(readdirSync(directory)).toEqual(['notes.txt']);
  });
});
