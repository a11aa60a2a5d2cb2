/**
 * Preloaded: gives its process a wall clock of its own, which is off by BAROGRAPH_FAULT_CLOCK_MILLIS and steps to the other
 * side at SIGUSR2. The clock of the file system and the monotonic clock stay.
 */
const RealDate = Date;
let shift = Number(process.env['BAROGRAPH_FAULT_CLOCK_MILLIS'] ?? 0);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + shift] : args, newTarget) as object,
  get: (target, key) =>
    key === 'now' ? () => RealDate.now() + shift : (Reflect.get(target, key) as unknown),
});
process.on('SIGUSR2', () => (shift = -shift));
