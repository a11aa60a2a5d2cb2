// Scrapes one address again and again, in a process of its own so that it costs the one that is scraped nothing.
// Arguments: URL, number of scrapes. Prints what it measured as JSON.
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const [url, scrapes] = process.argv.slice(2);
const PAUSE_MILLIS = 20;

const scrape = () =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    get(url, { agent: false }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => (bytes += chunk.length));
      response.on('end', () => resolve({ millis: performance.now() - startedAt, bytes }));
    }).on('error', reject);
  });

const measured = [];
for (let count = 0; count < Number(scrapes); count += 1) {
  measured.push(await scrape());
  await delay(PAUSE_MILLIS);
}
process.stdout.write(
  JSON.stringify({
    millis: measured.map(({ millis }) => millis),
    bytes: Math.max(...measured.map(({ bytes }) => bytes)),
  }),
);
