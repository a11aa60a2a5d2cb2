/** Where a command writes: what was asked for on standard output, everything else on standard error. */
export interface Output {
  /** A result for people, or the one JSON document. */
  readonly result: (text: string) => void;
  /** Progress; it may replace the line before on a terminal. Silent in JSON mode. */
  readonly progress: (text: string) => void;
  /** What is in the way but stops nothing. */
  readonly problem: (text: string) => void;
  /** How a process ended, when it was asked to; in JSON mode too. */
  readonly ending: (text: string) => void;
}

const CLEAR_LINE = '\r\u001b[2K';

/** As much of a line as fits: one that is broken could not be replaced by the next. Some terminals report no width. */
function fitting(text: string): string {
  const { columns = 0 } = process.stderr as { readonly columns?: number };
  return columns > 0 ? text.slice(0, Math.max(1, columns - 1)) : text;
}

/** The output of this process. */
export function createOutput(options: { readonly isJson: boolean }): Output {
  const isTerminal = process.stderr.isTTY;
  let isLineOpen = false;
  const endLine = (): void => {
    if (isLineOpen) process.stderr.write(CLEAR_LINE);
    isLineOpen = false;
  };
  const printLine = (text: string): void => {
    endLine();
    process.stderr.write(`${text}\n`);
  };
  return {
    result: (text) => {
      endLine();
      process.stdout.write(`${text}\n`);
    },
    progress: (text) => {
      if (options.isJson) return;
      process.stderr.write(isTerminal ? `${CLEAR_LINE}${fitting(text)}` : `${text}\n`);
      isLineOpen = isTerminal;
    },
    problem: printLine,
    ending: printLine,
  };
}
