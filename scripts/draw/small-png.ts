import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const PALETTE_SIZE = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel in one number. */
  readonly colours: Uint32Array;
}

function* chunksOf(png: Buffer): Generator<readonly [type: string, data: Buffer]> {
  for (let at = SIGNATURE.length; at < png.length; at += png.readUInt32BE(at) + 12)
    yield [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + png.readUInt32BE(at))];
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** Reads what Chromium writes: eight bits a sample, with or without alpha, not interlaced. */
function decode(png: Buffer): Pixels {
  const chunks = [...chunksOf(png)];
  const header = chunks[0]?.[1] ?? Buffer.alloc(13);
  const [width, height, samples] = [header.readUInt32BE(0), header.readUInt32BE(4), header[9] === 6 ? 4 : 3];
  const raw = inflateSync(Buffer.concat(chunks.flatMap(([type, data]) => (type === 'IDAT' ? [data] : []))));
  const stride = width * samples;
  const rows = Buffer.alloc(stride * height);
  const sampleAt = (row: number, column: number) =>
    row < 0 || column < 0 ? 0 : (rows[row * stride + column] ?? 0);
  for (let row = 0; row < height; row += 1) {
    const filter = raw[row * (stride + 1)] ?? 0;
    for (let column = 0; column < stride; column += 1) {
      const [left, up] = [sampleAt(row, column - samples), sampleAt(row - 1, column)];
      const corner = column < samples ? 0 : sampleAt(row - 1, column - samples);
      const expected = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      rows[row * stride + column] = ((raw[row * (stride + 1) + 1 + column] ?? 0) + expected) & 255;
    }
  }
  const colours = Uint32Array.from({ length: width * height }, (_, pixel) =>
    rows.readUIntBE(pixel * samples, 3),
  );
  return { width, height, colours };
}

function distance(one: number, other: number): number {
  return [16, 8, 0].reduce((sum, shift) => sum + (((one >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0);
}

/** The colours that occur most, and which of them stands for each that occurs. */
function paletteOf(colours: Uint32Array): {
  readonly palette: readonly number[];
  readonly places: ReadonlyMap<number, number>;
} {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, PALETTE_SIZE)
    .map(([colour]) => colour);
  const nearest = (colour: number) =>
    palette.reduce(
      (best, other, place) => (distance(colour, other) < distance(colour, palette[best] ?? 0) ? place : best),
      0,
    );
  return { palette, places: new Map([...counts.keys()].map((colour) => [colour, nearest(colour)])) };
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** The same picture in 256 colours: a third of its bytes. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, colours } = decode(png);
  const { palette, places } = paletteOf(colours);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, pixel) => {
    rows[pixel + Math.floor(pixel / width) + 1] = places.get(colour) ?? 0;
  });
  const entries = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    ...[chunk('IHDR', header), chunk('PLTE', entries)],
    ...[chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))],
  ]);
}
