import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyOf, spanOf, SpoolBench, startOfSpan } from '../exporters/spool/support/spool-bench.ts';

const DISK_MIB = 6;
const place = mkdtempSync(join(tmpdir(), 'barograph-disk-'));
const isMounted = mount(place);

/** Mounts a small disk; false without the right to. */
function mount(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

let bench: SpoolBench;
beforeAll(() => {
  if (!isMounted) console.info('Skipped: there is no right to mount a disk here.');
  bench = new SpoolBench(place, { segmentBytes: 16 * 1024 * 1024, limitBytes: 64 * 1024 * 1024 });
});
afterAll(() => {
  if (isMounted) execFileSync('umount', [place]);
  rmSync(place, { recursive: true, force: true });
});

describe.skipIf(!isMounted)('a disk that is full', () => {
  it('records are dropped while it is full, and none any more once all of the spool is delivered', async () => {
    const spool = bench.open();
    const running = spanOf(0);
    spool.push(startOfSpan(running), 0);
    let at = 1;
    const pushOne = (): void => {
      spool.push(spanOf((at += 1)), 0);
      spool.flushNow();
    };
    while ((bench.dropped['disk_full'] ?? 0) < 100) pushOne();
    const kept = spool.size;
    expect(spool.bytes, 'the open segment alone fills the disk').toBeGreaterThan(
      DISK_MIB * 1024 * 1024 * 0.8,
    );
    while (spool.size > 0) await bench.deliver(spool);
    expect(spool.bytes, 'what is delivered goes at once').toBeLessThan(2000);
    const before = bench.dropped['disk_full'];
    for (let more = 0; more < 1000; more += 1) pushOne();
    expect(bench.dropped['disk_full']).toBe(before);
    while (spool.size > 0) await bench.deliver(spool);
    expect(bench.outside.sequences).toHaveLength(kept + 1000);
    spool.close();
    const recovered = await bench.recoverKnown();
    expect(recovered.closings.map(keyOf), 'its start was kept on the full disk').toEqual([keyOf(running)]);
    recovered.spool.close();
    console.info(
      `A disk of ${DISK_MIB} MiB: ${kept} records kept, ${before} dropped while it was full, 0 later.`,
    );
  });
});
