import type { RunState } from './explanation.ts';

/** What the run as a whole waits for, or why it ended, as text; no line when it waits for its miners only. */
export function runLines({ status, error_message: message, is_over: isOver, gfs }: RunState): string[] {
  if (isOver) {
    if (status === 'completed') return [];
    return [
      `The run ended ${status ?? 'in an unknown status'}${message === null ? '.' : `: ${sentence(message)}`}`,
    ];
  }
  if (gfs === null || (gfs.error_type === null && gfs.status !== 'in_progress')) return [];
  const count = `attempt ${gfs.attempt}${gfs.max_attempts === null ? '' : ` of ${gfs.max_attempts}`}`;
  const waits = 'The run waits for GFS, and no miner is asked before: ';
  if (gfs.error_type === null) return [`${waits}${count} is running.`];
  const why = `${gfs.error_type}${gfs.error_message === null ? '' : `: ${gfs.error_message.replace(/\.$/, '')}`}`;
  const next = gfs.next_retry_time === null ? '' : ` It is tried again at ${gfs.next_retry_time}.`;
  return [`${waits}${count} failed — ${why}.${next}`];
}

const sentence = (text: string): string => `${text.replace(/\.$/, '')}.`;
