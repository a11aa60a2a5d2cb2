import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export interface ThreadPoolOptions<Task, Result> {
  /** The program of a thread. It answers with a `ThreadReply`, first that it is ready, then one for each task. Null: there is none. */
  readonly entry: URL | null;
  readonly size: number;
  /** Does a task where no thread can be started: a program may be bundled into one file. */
  readonly inline: (task: Task) => Promise<Result>;
  /** Whether a thread ends after a task: the memory of WebAssembly grows with it, and shrinks only with its thread. */
  readonly isLastOfThread: (task: Task) => boolean;
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
 * Threads that take tasks from one line, first come, first served, and are started as tasks arrive. A thread keeps its process alive
 * only while it works. A task whose thread dies fails; the next one gets a new thread.
 */
export class ThreadPool<Task, Result> {
  readonly #options: ThreadPoolOptions<Task, Result>;
  readonly #waiting: Job<Task, Result>[] = [];
  readonly #threads = new Set<Thread<Task, Result>>();
  /** Null once it is known that no thread can be started. */
  #entry: URL | null;

  constructor(options: ThreadPoolOptions<Task, Result>) {
    this.#options = options;
    this.#entry = isFile(options.entry) ? options.entry : null;
  }

  run(task: Task): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      this.#assign();
    });
  }

  #assign(): void {
    while (this.#entry !== null && this.#waiting.length > 0) {
      const thread = this.#idle() ?? this.#open(this.#entry);
      if (thread === null) break;
      thread.job = this.#waiting.shift();
      thread.worker.ref();
      thread.worker.postMessage(thread.job?.task);
    }
    while (this.#entry === null && this.#waiting.length > 0) this.#doInline(this.#waiting.shift());
  }

  #idle(): Thread<Task, Result> | undefined {
    return [...this.#threads].find(({ job }) => job === undefined);
  }

  /** @returns null where as many work as may, or where none can be started */
  #open(entry: URL): Thread<Task, Result> | null {
    if (this.#threads.size >= this.#options.size) return null;
    const worker = startWorker(entry);
    if (worker === null) return (this.#entry = null);
    const thread: Thread<Task, Result> = { worker, isReady: false, job: undefined };
    this.#threads.add(thread);
    worker.unref();
    worker.on('message', (reply: ThreadReply<Result>) => this.#finish(thread, reply));
    worker.on('error', (error) => this.#drop(thread, error));
    worker.on('exit', () => this.#drop(thread, new Error('The thread that did this ended.')));
    return thread;
  }

  #doInline(job: Job<Task, Result> | undefined): void {
    if (job !== undefined) job.resolve(this.#options.inline(job.task));
  }

  #finish(thread: Thread<Task, Result>, reply: ThreadReply<Result>): void {
    const { job, worker } = thread;
    if (reply.kind === 'ready') return void (thread.isReady = true);
    thread.job = undefined;
    worker.unref();
    if (job !== undefined && this.#options.isLastOfThread(job.task)) {
      this.#threads.delete(thread);
      void worker.terminate();
    }
    if (reply.kind === 'done') job?.resolve(reply.result);
    else job?.reject(reply.error);
    this.#assign();
  }

  #drop(thread: Thread<Task, Result>, error: unknown): void {
    if (!this.#threads.delete(thread)) return;
    if (thread.isReady) thread.job?.reject(error);
    else {
      this.#entry = null;
      this.#doInline(thread.job);
    }
    this.#assign();
  }
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
