import { RefusedRequest } from './doors.ts';

/** Bytes that a body has to bring at least within `slowBodyMillis`. */
const PROGRESS_BYTES = 16 * 1024;

/** A body that arrives. */
export interface Arriving {
  /** Takes room for a chunk. @returns whether there was any; nothing is taken without */
  readonly take: (bytes: number) => boolean;
  /** It is whole: it gives way to no other. */
  readonly markWhole: () => void;
  /** It is answered, or its client is gone. */
  readonly release: () => void;
}

/** Room for all bodies that have arrived, in whole or part, and are not answered. */
export interface Arrivals {
  /** @param refuse called when the body has to give way */
  readonly open: (refuse: (error: RefusedRequest) => void) => Arriving;
}

interface Held {
  readonly refuse: (error: RefusedRequest) => void;
  bytes: number;
  progressedAt: number;
  progressedTo: number;
}

/**
 * A budget of bytes with a bound on the rate: when there is no room, bodies that have brought less than 16 KiB for
 * `slowBodyMillis` give way, the slowest first. Else a few clients that begin bodies and fall silent would lock all others out.
 */
export function createArrivals(
  { maxArrivedBytes, slowBodyMillis }: { readonly maxArrivedBytes: number; readonly slowBodyMillis: number },
  now: () => number = () => performance.now(),
): Arrivals {
  const arriving = new Set<Held>();
  let free = maxArrivedBytes;
  const release = (held: Held): void => {
    arriving.delete(held);
    free += held.bytes;
    held.bytes = 0;
  };
  const makeWay = (asking: Held, bytes: number): void => {
    const isSlow = (held: Held): boolean =>
      held !== asking && held.bytes > 0 && now() - held.progressedAt > slowBodyMillis;
    const slow = [...arriving].filter(isSlow).sort((one, other) => one.progressedAt - other.progressedAt);
    for (const held of slow) {
      if (bytes <= free) return;
      release(held);
      held.refuse(new RefusedRequest(503, 'Too many bodies at once, and this one came too slowly.', 1));
    }
  };
  const take = (held: Held, bytes: number): boolean => {
    if (bytes > free) makeWay(held, bytes);
    if (bytes > free) return false;
    free -= bytes;
    held.bytes += bytes;
    if (held.bytes - held.progressedTo >= PROGRESS_BYTES) {
      held.progressedTo = held.bytes;
      held.progressedAt = now();
    }
    return true;
  };
  return {
    open: (refuse) => {
      const held: Held = { refuse, bytes: 0, progressedAt: now(), progressedTo: 0 };
      arriving.add(held);
      return {
        take: (bytes) => take(held, bytes),
        markWhole: () => void arriving.delete(held),
        release: () => release(held),
      };
    },
  };
}
