import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Spool } from '#spool/spool';
import { ByteWriter } from '#spool/format/byte-writer';
import { SpanDecoder } from '#spool/format/span-decoder';
import { SpanEncoder } from '#spool/format/span-encoder';
import { toPayload, toSpan } from '#spool/format/spool-record';
import type { ObservedSpan } from '#facts/observed-span';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import { attributesOf } from './work.ts';

/** What to measure: encoding and decoding a record, the same as JSON, or reading a backlog of records. */
export type RecordQuestion =
  | { readonly kind: 'encode' | 'decode' | 'encode_json' | 'decode_json'; readonly records: number }
  /** Records a second. */
  | { readonly kind: 'backlog'; readonly records: number }
  /** Peak resident memory of this process, MiB. */
  | { readonly kind: 'peak_memory' };

const T = 1_795_456_800_000_000_000n;
const TAKEN_AT_ONCE = 2000;
const PUSHED_IN_A_TURN = 64;
const VALIDATOR_HOTKEY = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const INSTANCE_ID = '0b9f54a7-6e6c-4b4f-9d3e-5d5f6f3a2c11';
const RESOURCE = {
  'service.name': 'barograph',
  'service.version': '0.1.0',
  'service.instance.id': INSTANCE_ID,
  'weather.validator.hotkey': VALIDATOR_HOTKEY,
};

const hex = (index: number, digits: number): string =>
  (index * 2_654_435_761).toString(16).padStart(digits, 'a').slice(-digits);

/** The end of a step of the suite. */
const spanOf = (index: number): ObservedSpan => ({
  phase: 'ended',
  traceId: hex(index % 97, 32),
  spanId: hex(index, 16),
  parentSpanId: null,
  name: 'era5 score',
  startTimeUnixNano: T + BigInt(index) * 1_000_003n,
  endTimeUnixNano: T + BigInt(index) * 1_000_003n + 7_654_321n,
  statusCode: 'unset',
  statusMessage: null,
  attributes: {
    ...attributesOf({ lead: 6 * (1 + (index % 40)), turn: Promise.resolve() }),
    'weather.step.status': 'succeeded',
  },
  events: [],
  resource: RESOURCE,
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
});

const SAMPLE = Array.from({ length: 1000 }, (_, index) => spanOf(index));
const WRITER = new ByteWriter();
const ENCODER = new SpanEncoder(WRITER);
const DECODER = new SpanDecoder();
const PAYLOADS = SAMPLE.map(toPayload);
const TEXTS = SAMPLE.map((span) => Buffer.from(encodeSpan(span)));

export async function measureRecords(question: RecordQuestion, directory: string): Promise<number> {
  switch (question.kind) {
    case 'encode':
      return nanosEach(SAMPLE, question.records, encodedLength);
    case 'encode_json':
      return nanosEach(SAMPLE, question.records, (span) => Buffer.from(encodeSpan(span)).length);
    case 'decode':
      return nanosEach(
        PAYLOADS,
        question.records,
        (payload) => toSpan({ payload }, DECODER)?.name.length ?? 0,
      );
    case 'decode_json':
      return nanosEach(TEXTS, question.records, (text) => decodeSpan(text.toString()).name.length);
    case 'backlog':
      return recordsPerSecond(question.records, directory);
    case 'peak_memory':
      return process.resourceUsage().maxRSS / 1024;
  }
}

/** Encodes as the spool does, into a reused buffer. */
function encodedLength(span: ObservedSpan): number {
  WRITER.cutTo(0);
  ENCODER.encode(span);
  return WRITER.length;
}

/** `work` returns a number that depends on its result, so that the JIT cannot eliminate dead code. */
function nanosEach<Item>(items: readonly Item[], times: number, work: (item: Item) => number): number {
  let sum = 0;
  const begun = process.hrtime.bigint();
  for (let done = 0; done < times; done += items.length) for (const item of items) sum += work(item);
  const nanos = Number(process.hrtime.bigint() - begun);
  if (sum < times) throw new Error('Nothing was done.');
  return nanos / times;
}

/** Fills a spool as during a database outage, then measures how fast it drains. */
async function recordsPerSecond(records: number, directory: string): Promise<number> {
  const folder = join(directory, 'backlog');
  await mkdir(folder, { recursive: true });
  const spool = new Spool({
    directory: folder,
    segmentBytes: 4 * 2 ** 20,
    limitBytes: 16 * 2 ** 30,
    durability: 'system',
    emitter: { validatorHotkey: VALIDATOR_HOTKEY, instanceId: INSTANCE_ID },
    listener: { dropped: (reason) => console.error(reason), added: () => undefined },
  });
  for (let index = 0; index < records; index += 1) {
    spool.push(spanOf(index), performance.now());
    if (index % PUSHED_IN_A_TURN === 0) await Promise.resolve();
  }
  spool.flushNow();
  const begun = performance.now();
  let taken = 0;
  while (spool.size > 0) {
    const batch = await spool.take(TAKEN_AT_ONCE);
    batch.account?.(0, batch.spans.length);
    taken += batch.spans.length;
    spool.settle();
  }
  const seconds = (performance.now() - begun) / 1000;
  spool.close();
  await rm(folder, { recursive: true });
  if (taken !== records) throw new Error(`Of ${records} records, ${taken} were read.`);
  return records / seconds;
}
