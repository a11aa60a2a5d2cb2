import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import { LockWatch } from '#processes/lock-watch';
import { spoolRoot } from '#recorder/process-spool';
import { adoptSpools } from '#spool/recovery/adopt-spools';
import type { Random } from '#world';
import { deliveryTo } from '#test/exporters/processor/support/delivery';
import { openBreakableProxy, type BreakableProxy } from '#test/end-to-end/support/breakable-proxy';
import { damageSpool, type RemainsFault } from './damage-spool.ts';
import { LOSSES, type LifeFault, type RoundPlan } from './fault-round.ts';
import { startRecorderProcess, type RecorderBundle, type RecorderProcess } from './recorder-process.ts';

const FIXTURES = join(import.meta.dirname, '../../exporters/spool/fixtures');
const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const DISK_MIB = 2;
/** The owner file of a process that cannot live: numbers end at 2^22. */
const DEAD_OWNER = '4194305-7 token';
/** How long a frozen process is frozen, ms. */
const FROZEN_MILLIS = 400;

/** What is needed for a round. */
export interface RoundSetting {
  readonly databaseUrl: string;
  readonly pool: Pool;
  readonly validatorHotkey: string;
  readonly seed: number;
  readonly random: Random;
  readonly bundle: RecorderBundle;
}

/** What a round leaves, for the judge. */
export interface RoundEnd {
  /** The run of each acknowledged span. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** What is left below the root: nothing, but what was set aside. */
  readonly folders: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly problems: readonly string[];
  /** How often the process lost its folder, and said so. */
  readonly losses: number;
  readonly noticed: number;
}

/** Lets a process record, does to it and to its files what is planned, and adopts what it leaves. */
export async function runRound(plan: RoundPlan, setting: RoundSetting): Promise<RoundEnd> {
  const place = openPlace(plan);
  const proxy = await openBreakableProxy(setting.databaseUrl);
  const round = new Round(plan, { ...setting, dataDirectory: place.path, proxy });
  try {
    return await round.run();
  } finally {
    await round.end();
    await proxy.cut();
    place.close();
  }
}

/** A data directory; on a small disk of its own where that is to be full. */
function openPlace({ inLife }: RoundPlan) {
  const path = mkdtempSync(join(tmpdir(), 'barograph-round-'));
  const isDisk = inLife.some(({ fault }) => fault === 'disk full');
  if (isDisk) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path]);
  const close = (): void => {
    if (isDisk) execFileSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true, force: true });
  };
  return { path, close };
}

interface PlacedSetting extends RoundSetting {
  readonly dataDirectory: string;
  readonly proxy: BreakableProxy;
}

class Round {
  readonly #plan: RoundPlan;
  readonly #setting: PlacedSetting;
  readonly #root: string;
  #isAway = false;
  readonly #started: RecorderProcess[] = [];
  #losses = 0;

  constructor(plan: RoundPlan, setting: PlacedSetting) {
    this.#plan = plan;
    this.#setting = setting;
    const { dataDirectory, proxy } = setting;
    this.#root = spoolRoot({
      config: { dataDirectory },
      database: { connectionString: proxy.url, kind: 'given' },
    });
  }

  async run(): Promise<RoundEnd> {
    const { witnessClockMillis, signal, onRemains, isForeign, clockMillis } = this.#plan;
    this.#layOldSpool();
    const witness = witnessClockMillis === null ? null : this.#start(witnessClockMillis, { inFlight: 0 });
    const recorder = this.#start(clockMillis, { inFlight: 6, before: isForeign ? UNSHARE : [] });
    await Promise.all([recorder.started, witness?.started]);
    await this.#live(recorder);
    const exitCode = await recorder.kill(signal);
    for (const fault of onRemains) this.#damage(fault);
    if (this.#isAway) await this.#setting.proxy.mend();
    witness?.endInput();
    const witnessCode = (await witness?.ended) ?? 0;
    const problems = await this.#adopt();
    return {
      acknowledged: recorder.acknowledged,
      folders: this.#folders().filter((folder) => !isEmptyDraft(folder)),
      exitCode: exitCode ?? witnessCode,
      stderr: recorder.stderr() + (witness?.stderr() ?? ''),
      problems,
      losses: this.#losses,
      noticed: recorder.stderr().split(' are kept and ').length - 1,
    };
  }

  /** Ends what a round that failed has left. */
  async end(): Promise<void> {
    await Promise.all(this.#started.map((process) => process.kill('SIGKILL')));
  }

  #start(
    clockMillis: number,
    { inFlight, before = [] }: { readonly inFlight: number; readonly before?: readonly string[] },
  ): RecorderProcess {
    const { dataDirectory, proxy, seed, validatorHotkey, bundle } = this.#setting;
    const load = { dataDirectory, databaseUrl: proxy.url, seed, inFlight, validatorHotkey };
    const { durability } = this.#plan;
    const started = startRecorderProcess(
      {
        ...load,
        durability,
        commandedInFlight: 0,
        stepMillis: 8,
        spoolLimitMib: 64,
        flushTimeoutMillis: 500,
      },
      { before, clockMillis, bundle },
    );
    this.#started.push(started);
    return started;
  }

  /** The life of the process, with what befalls it. */
  async #live(recorder: RecorderProcess): Promise<void> {
    const { inLife, lifeMillis } = this.#plan;
    let lived = 0;
    for (const { at, fault } of inLife) {
      await sleep(at * lifeMillis - lived);
      lived = at * lifeMillis;
      await this.#befall(recorder, fault);
    }
    await sleep(lifeMillis - lived);
  }

  async #befall(recorder: RecorderProcess, fault: LifeFault): Promise<void> {
    const { dataDirectory, proxy } = this.#setting;
    const filler = join(dataDirectory, 'filler');
    const folder = this.#folderOf(recorder);
    if (folder !== undefined && LOSSES.has(fault)) this.#losses += 1;
    switch (fault) {
      case 'database away':
        if (this.#isAway) await proxy.mend();
        else await proxy.cut();
        this.#isAway = !this.#isAway;
        break;
      case 'frozen':
        signalAll(recorder.pid, 'SIGSTOP');
        await sleep(FROZEN_MILLIS);
        signalAll(recorder.pid, 'SIGCONT');
        break;
      case 'clock steps':
        process.kill(lastPid(recorder.pid), 'SIGUSR2');
        break;
      case 'disk full':
        fill(filler);
        break;
      case 'disk free again':
        rmSync(filler, { force: true });
        break;
      case 'folder deleted':
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
        break;
      case 'folder renamed':
        if (folder !== undefined) renameSync(folder, `${folder}.elsewhere-${this.#losses}`);
        break;
      case 'taken for dead':
        if (folder !== undefined) writeIfPossible(join(folder, 'owner'), DEAD_OWNER);
    }
  }

  /** A folder that the process holds. In a namespace of its own its number is 1. */
  #folderOf({ pid }: RecorderProcess): string | undefined {
    return this.#folders().find((folder) => {
      const owner = join(folder, 'owner');
      const holder = existsSync(owner) ? readFileSync(owner, 'utf8').split('-')[0] : undefined;
      return holder === (this.#plan.isForeign ? '1' : String(pid));
    });
  }

  #folders(): readonly string[] {
    return existsSync(this.#root) ? readdirSync(this.#root).map((name) => join(this.#root, name)) : [];
  }

  /** Damages one folder of those that are left. */
  #damage(fault: RemainsFault): void {
    const { random } = this.#setting;
    const folders = this.#folders().filter((folder) => existsSync(join(folder, 'books')));
    const folder = folders[Math.floor(random() * folders.length)];
    if (folder !== undefined) damageSpool(fault, folder, random);
  }

  /** What an earlier version left; the process of the round adopts it. */
  #layOldSpool(): void {
    const { oldFormat } = this.#plan;
    if (oldFormat === null) return;
    mkdirSync(this.#root, { recursive: true });
    cpSync(join(FIXTURES, `format-${oldFormat}`), join(this.#root, 'old'), { recursive: true });
  }

  /** Adopts by a watch whose clock runs, so that it has heard nothing of a foreign namespace for long enough. */
  async #adopt(): Promise<readonly string[]> {
    const problems: string[] = [];
    let now = 0;
    const watch = new LockWatch(() => (now += 20_000));
    const sink = toSink(createPostgresExporter({ pool: this.#setting.pool }));
    const settings = { segmentBytes: 4 * 1024 * 1024, limitBytes: 64 * 1024 * 1024, maxBatchSize: 512 };
    for (let attempt = 0; attempt < 12 && this.#hasOrphans(); attempt += 1)
      await adoptSpools(
        {
          ...{ ...settings, root: this.#root, durability: this.#plan.durability, sink },
          delivery: deliveryTo(sink),
          onClosed: () => undefined,
          onDropped: () => undefined,
          onProblem: (message) => problems.push(message),
        },
        watch,
      );
    return problems;
  }

  #hasOrphans(): boolean {
    return this.#folders().some((folder) => !folder.endsWith('.unreadable') && !isEmptyDraft(folder));
  }
}

/** A folder whose maker was killed before its lock was in it. */
const isEmptyDraft = (folder: string): boolean =>
  basename(folder).startsWith('.new-') && !existsSync(join(folder, 'owner'));

/** Fills the disk to its last byte. */
function fill(path: string): void {
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeFileSync(path, block, { flag: 'a' });
  } catch {
    // Full.
  }
}

/** Replaces a file, as a lock is made: whole or, on a full disk, not at all. */
function writeIfPossible(path: string, text: string): void {
  try {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  } catch {
    rmSync(`${path}.new`, { force: true });
  }
}

/** A process and the only child of each of its children: what stands before the recorder goes with it. */
function chainOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [pid] : [pid, ...chainOf(Number(children.split(' ')[0]))];
}

function signalAll(pid: number, signal: NodeJS.Signals): void {
  for (const one of chainOf(pid)) process.kill(one, signal);
}

const lastPid = (pid: number): number => chainOf(pid).at(-1) ?? pid;
