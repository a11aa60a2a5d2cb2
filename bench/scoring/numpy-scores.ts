import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { ComparedFields, ComparedScores } from './compared-scores.ts';

/** Precision in which numpy takes differences and squares; the fields themselves are single. */
export type NumpyPrecision = 'double' | 'single';

export interface NumpyMeasurement {
  readonly millis: number;
  readonly scores: ComparedScores;
}

/** A Python process that scores one field per request. */
export interface NumpyScores {
  measure(precision: NumpyPrecision): Promise<NumpyMeasurement>;
  close(): Promise<void>;
}

export interface NumpyOptions {
  /** Directory for the files that hand the fields to the process. */
  readonly directory: string;
  readonly repeats: number;
}

const SCRIPT = join(import.meta.dirname, 'numpy_scores.py');
const PYTHONS = ['/usr/bin/python3', 'python3'];
const run = promisify(execFile);

/** The first Python that has numpy; null when none has. */
async function findPython(): Promise<string | null> {
  for (const python of PYTHONS) {
    try {
      await run(python, ['-c', 'import numpy']);
      return python;
    } catch {
      continue;
    }
  }
  return null;
}

/** Starts numpy on the fields; null, with a hint on what to install, where there is no numpy. */
export async function startNumpy(fields: ComparedFields, options: NumpyOptions): Promise<NumpyScores | null> {
  const python = await findPython();
  if (python === null) {
    console.error('numpy is not measured: no Python here has it. On Debian: apt-get install python3-numpy');
    return null;
  }
  const path = join(options.directory, 'fields.f32');
  const { forecast, truth, reference, climatology, latitudes } = fields;
  await writeFile(path, Buffer.concat([forecast, truth, reference, climatology].map(bytesOf)));
  const shape = [latitudes.length, forecast.length / latitudes.length];
  const child = spawn(python, [SCRIPT, path, ...shape.map(String), String(options.repeats)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async measure(precision) {
      child.stdin.write(`${precision}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error('The numpy process ended without an answer.');
      return JSON.parse(answer.value) as NumpyMeasurement;
    },
    async close() {
      const ended = once(child, 'exit');
      child.stdin.end();
      if (child.exitCode === null) await ended;
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
