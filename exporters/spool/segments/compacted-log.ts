import { toFrame, toPayload } from '../format/spool-record.ts';
import { ignoreErrors } from '../ignore-errors.ts';
import type { OpenSteps } from '../open-steps.ts';
import type { UnreadableSegments } from './segment-damage.ts';
import { listSegments } from './segment-files.ts';
import type { Appended, SegmentWriter, SegmentWriterOptions } from './segment-writer.ts';

/** Size of the open segment from which it is removed as soon as all is delivered. */
const RECLAIM_BYTES = 1024 * 1024;

/** Collaborators of the log. */
export interface CompactedLogParts {
  readonly options: Pick<SegmentWriterOptions, 'directory' | 'limitBytes'>;
  readonly segments: SegmentWriter;
  readonly open: OpenSteps;
  /** Whether no record is queued or in flight. */
  readonly isAllDelivered: () => boolean;
  /** Segments that are never removed. */
  readonly unreadable: () => UnreadableSegments;
  /** Called after the log went on in a new segment. */
  readonly onNewSegment: () => void;
}

/**
 * Compaction: the segments of a log go once their records are delivered. The starts of running steps in them are
 * appended again before that, as `carried` records.
 */
export class CompactedLog {
  readonly #parts: CompactedLogParts;
  #oldestSegment = 0;
  #isReclaiming = false;

  constructor(parts: CompactedLogParts) {
    this.#parts = parts;
  }

  /** Appends records; on a full disk once more, after the space of delivered ones was freed. */
  append(frames: readonly Buffer[], mayExceedLimit = false): Appended {
    const { segments, onNewSegment } = this.#parts;
    const before = segments.end.segment;
    const first = segments.append(frames, mayExceedLimit);
    const isFull = first === 'disk_full' || first === 'spool_full';
    const isRetried = isFull && !this.#isReclaiming && this.#reclaimOnce();
    const appended = isRetried ? segments.append(frames, mayExceedLimit) : first;
    if (segments.end.segment !== before) onNewSegment();
    return appended;
  }

  /** Removes what is delivered. When all is, the open segment goes as well, if it is large or the disk is full. */
  compact(deliveredSegment: number): void {
    const { segments, isAllDelivered, options } = this.#parts;
    const { hasFailed, end } = segments;
    const isNeeded = hasFailed || end.offset > Math.min(RECLAIM_BYTES, options.limitBytes / 2);
    if (!isAllDelivered() || !isNeeded) this.#removeBefore(deliveredSegment);
    else if (hasFailed) this.#reclaim();
    else {
      segments.close();
      this.#removeBefore(deliveredSegment + 1);
    }
  }

  /**
   * Appends the starts of running steps again that are in the segments up to this one.
   *
   * @returns false when they could not be written, and the segment has to stay
   */
  rewriteOpenStarts(segment: number): boolean {
    const { open, segments } = this.#parts;
    const steps = open.startedUpTo(segment);
    if (steps.length === 0) return true;
    const frames = steps.map(({ sequence, started }) => toFrame('carried', sequence, toPayload(started)));
    const whole = frames.filter((frame) => frame !== null);
    if (this.append(whole, true) !== 'written') return false;
    for (const step of steps) step.segment = segments.end.segment;
    return true;
  }

  #reclaimOnce(): boolean {
    this.#isReclaiming = true;
    try {
      return this.#reclaim();
    } finally {
      this.#isReclaiming = false;
    }
  }

  /** Removes all segments once all is delivered. The reserve gives room for the starts of running steps on a full disk. */
  #reclaim(): boolean {
    const { segments, isAllDelivered } = this.#parts;
    const { bytes } = segments;
    if (bytes === 0 || !isAllDelivered()) return false;
    segments.releaseReserve();
    segments.close();
    ignoreErrors(() => this.#removeBefore(segments.end.segment + 1));
    segments.fillReserve();
    return segments.bytes < bytes;
  }

  /** Removes segments, oldest first, and rewrites the starts of running steps. Unreadable ones stay. */
  #removeBefore(before: number): void {
    if (before <= this.#oldestSegment) return;
    const { options, segments } = this.#parts;
    const unreadable = this.#parts.unreadable();
    for (const { number, bytes } of listSegments(options.directory)) {
      this.#oldestSegment = number;
      if (number >= before) return;
      if (unreadable.has(number)) continue;
      if (!this.rewriteOpenStarts(number)) return;
      segments.remove(number, bytes);
    }
  }
}
