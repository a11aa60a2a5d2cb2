/** What some rounds of work took. */
export interface Measured {
  readonly rounds: number;
  readonly seconds: number;
  /** Latency of one round, ms. */
  readonly p50: number;
  readonly p99: number;
  /** Largest resident memory of the process so far, bytes. */
  readonly maxRssBytes: number;
}

/** Does work so many times, so many at once, and measures each. */
export async function measureWork(
  doOnce: () => Promise<void>,
  { rounds, inFlight }: { readonly rounds: number; readonly inFlight: number },
): Promise<Measured> {
  const latencies: number[] = [];
  let begun = 0;
  const workOn = async (): Promise<void> => {
    while (begun < rounds) {
      begun += 1;
      const start = performance.now();
      await doOnce();
      latencies.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, workOn));
  const seconds = (performance.now() - start) / 1000;
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (part: number): number => sorted[Math.floor(part * sorted.length)] ?? 0;
  return {
    rounds,
    seconds,
    p50: quantile(0.5),
    p99: quantile(0.99),
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}
