import { ByteReader } from '#spool/format/byte-reader';
import { ByteWriter } from '#spool/format/byte-writer';
import { KeyDictionaryReader, KeyDictionaryWriter } from '#spool/format/key-dictionary';
import type { ObservedSpan } from '#facts/observed-span';
import { cpuMillis } from '#bench/harness/cpu-time';
import type { Comparison } from '#bench/harness/suite';

/** The keys of the attributes of all records, beside each written and read as a string of its own. */
export function keyDictionaryComparisons(
  spans: readonly ObservedSpan[],
  repeats: number,
): readonly Comparison[] {
  const sides = { 'key dictionary': dictionarySide(spans), 'a string for each key': plainSide(spans) };
  const expected = spans.reduce((keys, { attributes }) => keys + Object.keys(attributes).length, 0);
  for (const { write, read } of Object.values(sides)) {
    write();
    if (read() !== expected) throw new Error('Other keys were read.');
  }
  const nanosOf = (work: () => unknown) => (): number => {
    const millis = cpuMillis(() => {
      for (let repeat = 0; repeat < repeats; repeat++) work();
    });
    return (millis * 1e6) / (repeats * spans.length);
  };
  const timed = (kind: keyof KeySide) =>
    Object.fromEntries(Object.entries(sides).map(([name, side]) => [name, nanosOf(side[kind])]));
  return (['write', 'read'] as const).map((kind) => ({
    name: `keys of a record, ${kind === 'write' ? 'written' : 'read'}`,
    unit: 'ns of CPU per record',
    sides: timed(kind),
    targets: [
      {
        what: 'a string for each key, times the key dictionary',
        unit: '×',
        value: (by) => (by['a string for each key'] ?? NaN) / (by['key dictionary'] ?? NaN),
      },
    ],
  }));
}

/** Both return how many keys they met. */
interface KeySide {
  readonly write: () => number;
  readonly read: () => number;
}

function dictionarySide(spans: readonly ObservedSpan[]): KeySide {
  const writer = new ByteWriter();
  const [written, known] = [new KeyDictionaryWriter(), new KeyDictionaryReader()];
  const reader = new ByteReader();
  return {
    write: () => {
      writer.cutTo(0);
      for (const { name, attributes } of spans) {
        const bytes = written.bytesOf(name, attributes);
        writer.count(bytes.length);
        writer.bytes(bytes);
      }
      return writer.length;
    },
    read: () => {
      reader.open(writer.slice(0, writer.length));
      return spans.reduce((keys, { name }) => keys + known.read(reader, name).length, 0);
    },
  };
}

function plainSide(spans: readonly ObservedSpan[]): KeySide {
  const writer = new ByteWriter();
  const reader = new ByteReader();
  return {
    write: () => {
      writer.cutTo(0);
      for (const { attributes } of spans) {
        const keys = Object.keys(attributes);
        writer.count(keys.length);
        for (const key of keys) writer.text(key);
      }
      return writer.length;
    },
    read: () => {
      reader.open(writer.slice(0, writer.length));
      return spans.reduce((keys) => keys + readKeys(reader).length, 0);
    },
  };
}

function readKeys(reader: ByteReader): readonly string[] {
  const keys: string[] = [];
  for (let left = reader.count(); left > 0; left -= 1) keys.push(reader.text());
  return keys;
}
