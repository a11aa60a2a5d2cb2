import { Session, type Profiler } from 'node:inspector/promises';

/** Owner of the work of a stack. */
type Owner = 'recording' | 'pipeline' | 'shared';

/** CPU time of this process by owner, microseconds. Idle time has no owner. */
export type CpuTimes = Readonly<Record<Owner, number>>;

/** Sampling interval of the stack, microseconds. */
const SAMPLING_MICROS = 500;

/**
 * Modules of recording: the step wrapper, the SDK below it, processor, spool, facts, folds and writer, and the metrics
 * that mirror them.
 */
const RECORDING =
  /\/exporters\/|\/src\/(?:facts|steps|ingest)\/|\/src\/(?:recording|recorded|telemetry|sampler|state-reading|miner-refresh|partition-maintenance)[^/]*\.ts|\/node_modules\/(?:@opentelemetry|prom-client)\//;
/** Modules of the pipeline, and the packages that only it uses. */
const PIPELINE =
  /\/src\/(?:pipeline|scoring|grids|world|fleet|commands)\/|\/node_modules\/(?:undici|zarrita|numcodecs|graphile-worker|@scure|@noble)\/|^wasm:/;
const IDLE = '(idle)';

/**
 * Attributes a stack to the owner of its innermost attributable frame. The step wrapper calls the step's function, so
 * the function counts as pipeline, and the wrapper's own work before and after as recording. Frames of Node, of the driver
 * and of modules that both use are skipped; a stack without an attributable frame (parsing a database response, garbage
 * collection) is shared.
 */
function ownerOf(urls: readonly string[]): Owner {
  for (const url of urls) {
    if (RECORDING.test(url)) return 'recording';
    if (PIPELINE.test(url)) return 'pipeline';
  }
  return 'shared';
}

/** Samples the stack of this process while the work runs. */
export async function profileCpu<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly times: CpuTimes }> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS });
    await session.post('Profiler.start');
    const result = await work();
    const { profile } = await session.post('Profiler.stop');
    return { result, times: cpuTimes(profile) };
  } finally {
    session.disconnect();
  }
}

/** Sums the samples of a profile by owner. */
export function cpuTimes(profile: Profiler.Profile): CpuTimes {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const stackOf = (id: number): string[] => {
    const urls: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at))
      urls.push(nodes.get(at)?.callFrame.url ?? '');
    return urls;
  };
  const owners = new Map(
    profile.nodes
      .filter(({ callFrame }) => callFrame.functionName !== IDLE)
      .map(({ id }) => [id, ownerOf(stackOf(id))] as const),
  );
  const times = { recording: 0, pipeline: 0, shared: 0 };
  profile.samples?.forEach((id, index) => {
    const owner = owners.get(id);
    if (owner !== undefined) times[owner] += profile.timeDeltas?.[index] ?? 0;
  });
  return times;
}
