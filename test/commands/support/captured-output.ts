import type { Output } from '#commands/terminal/output';

/** An output that keeps what was written instead of showing it. */
export interface CapturedOutput extends Output {
  readonly results: readonly string[];
  readonly progressLines: readonly string[];
  readonly problems: readonly string[];
  readonly endings: readonly string[];
}

export function captureOutput(): CapturedOutput {
  const results: string[] = [];
  const progressLines: string[] = [];
  const problems: string[] = [];
  const endings: string[] = [];
  return {
    results,
    progressLines,
    problems,
    endings,
    result: (text) => void results.push(text),
    progress: (text) => void progressLines.push(text),
    problem: (text) => void problems.push(text),
    ending: (text) => void endings.push(text),
  };
}
