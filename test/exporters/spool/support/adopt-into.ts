import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportOptions, SpanSink } from '#exporters/export-report';
import type { ObservedSpan } from '#facts/observed-span';
import { adoptSpools, type Adopted } from '#spool/recovery/adopt-spools';
import { deliveryTo } from '#test/exporters/processor/support/delivery';

/** What was delivered and said during an adoption. */
export interface AdoptedInto {
  readonly adopted: Adopted;
  readonly spans: readonly ObservedSpan[];
  readonly accounts: readonly EmitterAccount[];
  readonly problems: readonly string[];
}

/** Adopts the spools below a root into a sink that takes everything and keeps it. */
export async function adoptInto(root: string, sink?: SpanSink): Promise<AdoptedInto> {
  const [spans, accounts, problems]: [ObservedSpan[], EmitterAccount[], string[]] = [[], [], []];
  const keep: SpanSink = {
    export: async (batch: readonly ObservedSpan[], options: ExportOptions = {}) => {
      spans.push(...batch);
      if (options.account !== undefined) accounts.push(options.account);
      return (await sink?.export(batch, options)) ?? { kind: 'written' };
    },
  };
  const adopted = await adoptSpools({
    ...{ root, segmentBytes: 4096, limitBytes: 10_000_000, durability: 'system' as const, maxBatchSize: 100 },
    sink: keep,
    delivery: deliveryTo(keep),
    onClosed: () => undefined,
    onDropped: () => undefined,
    onProblem: (message) => problems.push(message),
  });
  return { adopted, spans, accounts, problems };
}
