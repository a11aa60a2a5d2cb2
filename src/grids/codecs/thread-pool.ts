import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Threads that take tasks from one line, first come, first served. */
export interface ThreadPool<Task, Result> {
  run(task: Task): Promise<Result>;
}

export interface ThreadPoolOptions<Task, Result> {
  /** The program of a thread. It answers with a `ThreadReply`, first that it is ready, then one for each task. Null: there is none. */
  readonly entry: URL | null;
  readonly size: number;
  /** Does a task where no thread can be started: a program may be bundled into one file. */
  readonly inline: (task: Task) => Promise<Result>;
}

/** What a thread answers. */
export type ThreadReply<Result> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Job<Task, Result> {
  readonly task: Task;
  readonly resolve: (result: Result | Promise<Result>) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread<Task, Result> {
  readonly worker: Worker;
  isReady: boolean;
  job: Job<Task, Result> | undefined;
}

/**
 * Creates a pool that starts threads as tasks arrive. A thread keeps its process alive only while it works. A task whose thread dies
 * fails; the next one gets a new thread.
 */
export function createThreadPool<Task, Result>(
  options: ThreadPoolOptions<Task, Result>,
): ThreadPool<Task, Result> {
  const { size, inline } = options;
  const waiting: Job<Task, Result>[] = [];
  const threads = new Set<Thread<Task, Result>>();
  /** Null once it is known that no thread can be started. */
  let entry = isFile(options.entry) ? options.entry : null;

  const assign = (): void => {
    while (entry !== null && waiting.length > 0) {
      const thread =
        [...threads].find(({ job }) => job === undefined) ?? (threads.size < size ? open(entry) : null);
      if (thread === null) break;
      thread.job = waiting.shift();
      thread.worker.ref();
      thread.worker.postMessage(thread.job?.task);
    }
    while (entry === null && waiting.length > 0) doInline(waiting.shift());
  };
  const doInline = (job: Job<Task, Result> | undefined): void => {
    if (job !== undefined) job.resolve(inline(job.task));
  };
  const finish = (thread: Thread<Task, Result>, reply: ThreadReply<Result>): void => {
    const { job } = thread;
    if (reply.kind === 'ready') return void (thread.isReady = true);
    thread.job = undefined;
    thread.worker.unref();
    if (reply.kind === 'done') job?.resolve(reply.result);
    else job?.reject(reply.error);
    assign();
  };
  const drop = (thread: Thread<Task, Result>, error: unknown): void => {
    if (!threads.delete(thread)) return;
    if (thread.isReady) thread.job?.reject(error);
    else {
      entry = null;
      doInline(thread.job);
    }
    assign();
  };
  const open = (program: URL): Thread<Task, Result> | null => {
    const worker = startWorker(program);
    if (worker === null) return (entry = null);
    const thread: Thread<Task, Result> = { worker, isReady: false, job: undefined };
    threads.add(thread);
    thread.worker.unref();
    thread.worker.on('message', (reply: ThreadReply<Result>) => finish(thread, reply));
    thread.worker.on('error', (error) => drop(thread, error));
    thread.worker.on('exit', () => drop(thread, new Error('The thread that did this ended.')));
    return thread;
  };
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        waiting.push({ task, resolve, reject });
        assign();
      }),
  };
}

const isFile = (entry: URL | null): boolean =>
  entry?.protocol === 'file:' && existsSync(fileURLToPath(entry));

/**
 * Without the flags of the process: what they load, such as another SDK of OpenTelemetry, is not for a thread that unpacks.
 *
 * @returns null where the process may start no thread
 */
function startWorker(entry: URL): Worker | null {
  const settings = { execArgv: [], env: {} };
  // Sources are loaded as the process loads them that runs sources.
  const source = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); })`;
  try {
    return entry.pathname.endsWith('.ts')
      ? new Worker(source, { ...settings, eval: true })
      : new Worker(entry, settings);
  } catch {
    return null;
  }
}
