import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Threads that take tasks from one line, first come, first served. */
export interface ThreadPool<Task, Result> {
  run(task: Task): Promise<Result>;
}

export interface ThreadPoolOptions<Task, Result> {
  /** The program of a thread. It answers with a `ThreadReply`, first that it is ready, then one for each task. */
  readonly entry: URL;
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
  const { entry, size, inline } = options;
  const waiting: Job<Task, Result>[] = [];
  const threads = new Set<Thread<Task, Result>>();
  let isUsable = existsSync(fileURLToPath(entry));

  const assign = (): void => {
    while (!isUsable && waiting.length > 0) doInline(waiting.shift());
    while (waiting.length > 0) {
      const thread =
        [...threads].find(({ job }) => job === undefined) ?? (threads.size < size ? open() : null);
      if (thread === null) return;
      thread.job = waiting.shift();
      thread.worker.ref();
      thread.worker.postMessage(thread.job?.task);
    }
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
      isUsable = false;
      doInline(thread.job);
    }
    assign();
  };
  const open = (): Thread<Task, Result> => {
    const thread: Thread<Task, Result> = { worker: startWorker(entry), isReady: false, job: undefined };
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

/** Without the flags of the process: what they load, such as another SDK of OpenTelemetry, is not for a thread that unpacks. */
function startWorker(entry: URL): Worker {
  const settings = { execArgv: [], env: {} };
  if (!entry.pathname.endsWith('.ts')) return new Worker(entry, settings);
  // Sources are loaded as the process loads them that runs sources.
  const program = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); })`;
  return new Worker(program, { ...settings, eval: true });
}
