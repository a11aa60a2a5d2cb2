import { Session, type Profiler } from 'node:inspector/promises';

/** Whose work a stack is. */
type Owner = 'recording' | 'pipeline' | 'shared';

/** CPU time of this process by owner, microseconds. Idle time is nobody's. */
export type CpuTimes = Readonly<Record<Owner, number>>;

/** Between two looks at the stack, microseconds. */
const SAMPLING_MICROS = 500;

/**
 * What recording is made of: the wrapper of a step, the SDK below it, processor, spool, facts, folds and writer, and the
 * metrics that mirror them.
 */
const RECORDING =
  /\/exporters\/|\/src\/(?:facts|steps|ingest)\/|\/src\/(?:recording|recorded|telemetry|sampler|state-reading|miner-refresh|partition-maintenance)[^/]*\.ts|\/node_modules\/(?:@opentelemetry|prom-client)\//;
/** What the pipeline is made of, with the packages that it alone uses. */
const PIPELINE =
  /\/src\/(?:pipeline|scoring|grids|world|fleet|commands)\/|\/node_modules\/(?:undici|zarrita|numcodecs|graphile-worker|@scure|@noble)\/|^wasm:/;
const IDLE = '(idle)';

/**
 * Whose a stack is: that of the frame nearest to where the processor was. A step's function is called by the wrapper of
 * the step, so what it does is the pipeline's, and what the wrapper does before and after is recording. Frames of
 * Node, of the driver and of modules that both use say nothing and are passed over; where nobody is found (an answer
 * of the database that is parsed, the garbage collector) the time is shared.
 */
function ownerOf(urls: readonly string[]): Owner {
  for (const url of urls) {
    if (RECORDING.test(url)) return 'recording';
    if (PIPELINE.test(url)) return 'pipeline';
  }
  return 'shared';
}

/** Looks at the stack of this process all the time while it works. */
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

/** Adds the samples of a profile up. */
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
