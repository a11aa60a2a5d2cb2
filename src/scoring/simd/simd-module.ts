import { unsigned, type Code } from './simd-code.ts';

/** A compiled function of two integers, and its linear memory. */
export interface SimdFunction {
  readonly run: (first: number, second: number) => void;
  readonly memory: ArrayBuffer;
}

export interface SimdProgram {
  /** Body of the function; the parameters are the locals 0 and 1. */
  readonly code: Code;
  /** Number of locals after the parameters: first the integers, then the vectors. */
  readonly integers: number;
  readonly vectors: number;
  readonly memoryBytes: number;
}

/** The used part of the WebAssembly API; TypeScript declares it in its browser library only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};
interface Exports {
  readonly run: SimdFunction['run'];
  readonly memory: { readonly buffer: ArrayBuffer };
}

const INTEGER = 0x7f;
const VECTOR = 0x7b;
const PAGE_BYTES = 65_536;

/** Assembles and instantiates a module of one function and one memory, synchronously. */
export function compile({ code, integers, vectors, memoryBytes }: SimdProgram): SimdFunction {
  const locals = list([
    [...unsigned(integers), INTEGER],
    [...unsigned(vectors), VECTOR],
  ]);
  const body = [...locals, ...code, 0x0b];
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list([[0x60, ...list([[INTEGER], [INTEGER]]), 0]])),
    ...section(3, list([[0]])),
    ...section(5, list([[0x00, ...unsigned(Math.ceil(memoryBytes / PAGE_BYTES))]])),
    ...section(7, list([exported('run', 0x00), exported('memory', 0x02)])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
  const { run, memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports;
  return { run, memory: memory.buffer };
}

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const exported = (name: string, kind: number): Code => [
  ...list(Array.from(name, (letter) => [letter.charCodeAt(0)])),
  ...[kind, 0],
];
