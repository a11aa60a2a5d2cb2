import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATED } from './dashboards/generated.ts';
import { askAll } from './draw/answers.ts';
import { choose } from './draw/choices.ts';
import { drawDashboard, type Page } from './draw/page.ts';
import { photograph } from './draw/photograph.ts';
import { withRecording } from './draw/recording.ts';
import { drawTrace } from './draw/trace.ts';

const PICTURES = fileURLToPath(new URL('../docs/pictures', import.meta.url));

/** Asks at once, so that all pictures show the same moment. */
const pages = await withRecording(async (recording) => {
  const choices = await choose(recording);
  const drawn: [name: string, page: Page][] = [];
  for (const dashboard of GENERATED) {
    const choice = choices[dashboard.uid];
    if (choice === undefined) throw new Error(`nothing is chosen for the dashboard ${dashboard.uid}`);
    const answers = await askAll(recording, dashboard, choice);
    drawn.push([dashboard.uid.replace('barograph-', ''), drawDashboard(dashboard, answers, choice)]);
  }
  const miner = choices['barograph-miner'];
  if (miner !== undefined) drawn.push(['trace', await drawTrace(recording.pool, miner)]);
  return drawn;
});
await mkdir(PICTURES, { recursive: true });
for (const [name, page] of pages) {
  await photograph(page, join(PICTURES, `${name}.png`));
  console.log(`wrote docs/pictures/${name}.png`);
}
