import { translate } from '../src/facts/translate.ts';
import { minerRun } from './miner-run.ts';
const spans = Array.from({ length: 500 }, (_, uid) => minerRun(1, uid)).flat();
for (let r = 0; r < 8; r++) {
  const t = performance.now();
  for (const s of spans) translate(s);
  console.log((((performance.now() - t) * 1000) / spans.length).toFixed(2), 'us');
}
