import type { Adopted } from '../recording.ts';

const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** What was done for processes that had ended before their records were delivered. */
export function describeAdoption({ spools, records, closedSteps }: Adopted): string {
  const delivered = counted(records, 'record was', 'records were');
  const taken = `Took up ${counted(spools, 'spool', 'spools')} that processes had left behind: ${delivered} delivered.`;
  if (closedSteps === 0) return taken;
  const steps = counted(closedSteps, 'step that had not ended is', 'steps that had not ended are');
  return `${taken} ${steps} recorded as abandoned.`;
}
