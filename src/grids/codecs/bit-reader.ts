/** Reads bits from bytes, the highest first. */
export interface BitReader {
  /** @param count at most 32. @throws Error at the end */
  read(count: number): number;
  /** Skips to the next whole byte. */
  alignToByte(): void;
  /** Whole bytes that have not been touched. */
  bytesLeft(): number;
}

export function createBitReader(bytes: Uint8Array): BitReader {
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
