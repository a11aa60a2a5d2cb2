import { startIntervalTask, type IntervalTaskOptions } from '#lifecycle/interval-task';
import { untraced } from '#processor/untraced';

/** An untraced interval task, also where the program registered its OpenTelemetry after the task was started. */
export const startUntracedTask = (options: IntervalTaskOptions): (() => Promise<void>) =>
  startIntervalTask({ ...options, work: (signal) => untraced(() => options.work(signal)) });
