const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
/** The level in the header gives the size of a block in units of so many bytes. */
const BLOCK_UNIT = 100_000;
const GROUP_SYMBOLS = 50;
const LONGEST_CODE = 20;
/** Symbols of a run, of which two are digits. */
const RUN_A = 0;
const RUN_B = 1;

/**
 * Unpacks bzip2 (Julian Seward's format, streams one after another), at most `most` bytes.
 *
 * @throws Error for bytes that are not bzip2, that are truncated or corrupt, and that unpack to more
 */
export function decodeBzip2(bytes: Uint8Array, most: number): Uint8Array {
  const output = new Uint8Array(most);
  const bits = createBitReader(bytes);
  let length = 0;
  do {
    const blockBytes = readHeader(bits);
    for (;;) {
      const magic = bits.read(24) * 2 ** 24 + bits.read(24);
      const sum = bits.read(32);
      if (magic === END_MAGIC) break;
      if (magic !== BLOCK_MAGIC) throw new Error('it is no bzip2 block');
      const start = length;
      length = expandRuns(readBlock(bits, blockBytes), { output, length });
      if (checksum(output.subarray(start, length)) !== sum)
        throw new Error('a bzip2 block has another sum: it is corrupt');
    }
    bits.alignToByte();
  } while (bits.bytesLeft() > 0);
  return output.subarray(0, length);
}

/** `BZh` and the level. @returns the most bytes of a block */
function readHeader(bits: BitReader): number {
  const isBzip2 = bits.read(8) === 0x42 && bits.read(8) === 0x5a && bits.read(8) === 0x68;
  const level = bits.read(8) - 0x30;
  if (!isBzip2 || level < 1 || level > 9) throw new Error('it is not bzip2');
  return level * BLOCK_UNIT;
}

/** The bytes of a block, before their runs are expanded. */
function readBlock(bits: BitReader, blockBytes: number): Uint8Array {
  if (bits.read(1) === 1) throw new Error('it is of a bzip2 that was given up long ago (randomised blocks)');
  const start = bits.read(24);
  const alphabet = readAlphabet(bits);
  const sorted = readSorted(bits, alphabet, blockBytes);
  if (start >= sorted.length) throw new Error('a bzip2 block begins outside itself');
  return undoSorting(sorted, start);
}

/** The byte values that occur: sixteen bits for groups of sixteen. */
function readAlphabet(bits: BitReader): number[] {
  const groups = bits.read(16);
  const alphabet: number[] = [];
  for (let group = 0; group < 16; group += 1) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const used = bits.read(16);
    for (let value = 0; value < 16; value += 1)
      if ((used & (0x8000 >> value)) !== 0) alphabet.push(group * 16 + value);
  }
  if (alphabet.length === 0) throw new Error('a bzip2 block holds no byte');
  return alphabet;
}

/** Symbols in their Huffman codes, with runs of the first of a list that moves what is used to its front. */
function readSorted(bits: BitReader, alphabet: number[], blockBytes: number): Uint8Array {
  const endSymbol = alphabet.length + 1;
  const nextSymbol = createSymbolReader(bits, endSymbol + 1);
  const list = [...alphabet];
  const sorted = new Uint8Array(blockBytes);
  let length = 0;
  let run = 0;
  let digit = 1;
  const put = (value: number, times: number): void => {
    if (length + times > blockBytes) throw new Error('a bzip2 block is longer than its header allows');
    sorted.fill(value, length, length + times);
    length += times;
  };
  for (;;) {
    const symbol = nextSymbol();
    if (symbol === RUN_A || symbol === RUN_B) {
      run += digit * (symbol + 1);
      digit *= 2;
      if (run > blockBytes) throw new Error('a bzip2 block is longer than its header allows');
      continue;
    }
    if (run > 0) put(list[0] ?? 0, run);
    run = 0;
    digit = 1;
    if (symbol === endSymbol) return sorted.subarray(0, length);
    const [value = 0] = list.splice(symbol - 1, 1);
    list.unshift(value);
    put(value, 1);
  }
}

/** The tables, and which of them codes each group of fifty symbols. */
function createSymbolReader(bits: BitReader, symbols: number): () => number {
  const tableCount = bits.read(3);
  const selectorCount = bits.read(15);
  if (tableCount < 2 || tableCount > 6 || selectorCount === 0) throw new Error('a bzip2 block has no tables');
  const order = Array.from({ length: tableCount }, (_, table) => table);
  const selectors = Array.from({ length: selectorCount }, () => {
    let place = 0;
    while (bits.read(1) === 1) place += 1;
    const [table] = order.splice(place, 1);
    if (table === undefined) throw new Error('a bzip2 block names a table that it lacks');
    order.unshift(table);
    return table;
  });
  const tables = Array.from({ length: tableCount }, () => readTable(bits, symbols));
  let read = 0;
  return () => {
    const decode = tables[selectors[Math.floor(read / GROUP_SYMBOLS)] ?? -1];
    if (decode === undefined) throw new Error('a bzip2 block has more symbols than groups');
    read += 1;
    return decode();
  };
}

/** Canonical Huffman codes, by their lengths; each length is the one before, up or down by ones. */
function readTable(bits: BitReader, symbols: number): () => number {
  let length = bits.read(5);
  const lengths = Array.from({ length: symbols }, () => {
    while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1;
    if (length < 1 || length > LONGEST_CODE) throw new Error('a bzip2 block has a code of no length');
    return length;
  });
  const byLength = Array.from({ length: LONGEST_CODE + 1 }, (_, wanted) =>
    lengths.flatMap((found, symbol) => (found === wanted ? [symbol] : [])),
  );
  return () => {
    let code = 0;
    let first = 0;
    for (const [size, ofLength] of byLength.entries()) {
      if (size === 0) continue;
      code = code * 2 + bits.read(1);
      first *= 2;
      const symbol = ofLength[code - first];
      if (symbol !== undefined) return symbol;
      first += ofLength.length;
    }
    throw new Error('a bzip2 block has a code that stands for nothing');
  };
}

/** The inverse of the Burrows-Wheeler transform. */
function undoSorting(sorted: Uint8Array, start: number): Uint8Array {
  const places = new Uint32Array(257);
  for (const value of sorted) places[value + 1] = (places[value + 1] ?? 0) + 1;
  for (let value = 0; value < 256; value += 1)
    places[value + 1] = (places[value + 1] ?? 0) + (places[value] ?? 0);
  const next = new Uint32Array(sorted.length);
  for (const [index, value] of sorted.entries()) {
    const place = places[value] ?? 0;
    next[place] = index;
    places[value] = place + 1;
  }
  const plain = new Uint8Array(sorted.length);
  let at = next[start] ?? 0;
  for (let index = 0; index < plain.length; index += 1) {
    plain[index] = sorted[at] ?? 0;
    at = next[at] ?? 0;
  }
  return plain;
}

/** Four equal bytes are followed by the count of further ones. @returns the length with those of the block */
function expandRuns(plain: Uint8Array, { output, length }: { output: Uint8Array; length: number }): number {
  let end = length;
  let same = 0;
  let last = -1;
  for (const value of plain) {
    const times = same === 4 ? value : 1;
    if (end + times > output.length)
      throw new Error(`it unpacks to more than the ${String(output.length)} bytes of the array's chunks`);
    output.fill(same === 4 ? last : value, end, end + times);
    end += times;
    same = same === 4 ? 0 : value === last ? same + 1 : 1;
    last = same === 0 ? -1 : value;
  }
  return end;
}

/** CRC-32 of bzip2: the polynomial of Ethernet, the highest bit first. */
const SUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) sum = sum < 0 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum;
});

function checksum(bytes: Uint8Array): number {
  let sum = -1;
  for (const byte of bytes) sum = (sum << 8) ^ (SUMS[(sum >>> 24) ^ byte] ?? 0);
  return ~sum >>> 0;
}

/** Reads bits from bytes, the highest first. */
interface BitReader {
  /** @param count at most 32. @throws Error at the end */
  read(count: number): number;
  /** Skips to the next whole byte. */
  alignToByte(): void;
  /** Whole bytes that have not been touched. */
  bytesLeft(): number;
}

function createBitReader(bytes: Uint8Array): BitReader {
  let at = 0;
  let held = 0;
  let current = 0;
  const readBit = (): number => {
    if (held === 0) {
      const byte = bytes[at];
      if (byte === undefined) throw new Error('it is truncated');
      current = byte;
      at += 1;
      held = 8;
    }
    held -= 1;
    return (current >> held) & 1;
  };
  return {
    read(count) {
      let value = 0;
      for (let bit = 0; bit < count; bit += 1) value = value * 2 + readBit();
      return value;
    },
    alignToByte() {
      held = 0;
    },
    bytesLeft: () => bytes.length - at,
  };
}
