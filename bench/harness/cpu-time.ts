/** CPU time of a synchronous function, all threads of the process included (garbage collection, compiling), ms. */
export function cpuMillis(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
