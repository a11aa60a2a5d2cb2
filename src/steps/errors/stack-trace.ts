/** One frame of a stack; `place` is `file:line:column` without the folders, which could identify the machine. */
export interface StackFrame {
  readonly functionName: string;
  readonly place: string;
}

const MAX_FRAMES = 20;
const MAX_STACK_LENGTH = 32_768;

/** Parses a V8 stack, innermost frame first, at most twenty. Folders are removed. */
export function parseStack(stack: string): readonly StackFrame[] {
  return stack
    .slice(0, MAX_STACK_LENGTH)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => parseFrame(line.trim().slice('at '.length)));
}

function parseFrame(frame: string): StackFrame {
  const open = frame.indexOf(' (');
  const isNamed = open > 0 && frame.endsWith(')');
  const functionName = isNamed ? frame.slice(0, open).replace(/^async /, '') : '<anonymous>';
  const place = isNamed ? frame.slice(open + 2, -1) : frame.replace(/^async /, '');
  return { functionName, place: withoutFolders(place) };
}

/** `file:///a/b/step.ts:3:5` as `step.ts:3:5`; the runtime's own `node:internal/…` stays. */
function withoutFolders(place: string): string {
  return place.startsWith('node:') ? place : place.replace(/^.*[/\\]/s, '');
}

/** Formats frames as V8 does. */
export function formatFrames(frames: readonly StackFrame[]): string {
  return frames.map(({ functionName, place }) => `    at ${functionName} (${place})`).join('\n');
}
