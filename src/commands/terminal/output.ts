import { printableLines, printableText } from '#semconv/printable-text';

/** The streams of a command: results on standard output, everything else on standard error. */
export interface Output {
  /** A result for people, or the one JSON document. */
  readonly result: (text: string) => void;
  /** Progress; on a terminal it replaces the line before. Silent in JSON mode. */
  readonly progress: (text: string) => void;
  /** A problem that does not stop the command. */
  readonly problem: (text: string) => void;
  /** How an interrupted process ended; in JSON mode too. */
  readonly ending: (text: string) => void;
}

const CLEAR_LINE = '\r\u001b[2K';

/** Cuts a line to the terminal: a wrapped line could not be replaced. Some terminals report no width. */
function fitting(text: string): string {
  const { columns = 0 } = process.stderr as { readonly columns?: number };
  return columns > 0 ? text.slice(0, Math.max(1, columns - 1)) : text;
}

/** The output of this process. Nothing that it prints acts on the terminal, whoever wrote it. */
export function createOutput(options: { readonly isJson: boolean }): Output {
  const isTerminal = process.stderr.isTTY;
  let isLineOpen = false;
  const endLine = (): void => {
    if (isLineOpen) process.stderr.write(CLEAR_LINE);
    isLineOpen = false;
  };
  const writeError = (text: string): void => {
    endLine();
    process.stderr.write(`${printableLines(text)}\n`);
  };
  return {
    result: (text) => {
      endLine();
      process.stdout.write(`${printableLines(text)}\n`);
    },
    progress: (text) => {
      if (options.isJson) return;
      const line = printableText(text);
      process.stderr.write(isTerminal ? `${CLEAR_LINE}${fitting(line)}` : `${line}\n`);
      isLineOpen = isTerminal;
    },
    problem: writeError,
    ending: writeError,
  };
}
