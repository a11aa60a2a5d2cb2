/** A cell of a Markdown table: `|` would end it. */
export const cell = (text: string): string => text.replaceAll('|', '\\|');

export const code = (text: string | number): string => `\`${cell(String(text))}\``;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}
