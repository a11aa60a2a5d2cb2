// A program that instruments pg, undici and http, makes three spans of its own, and records many batches meanwhile.
const { startHost, RUN, namesOf } = require('./host.cjs');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');

const host = startHost();
registerInstrumentations({
  instrumentations: [new PgInstrumentation(), new HttpInstrumentation(), new UndiciInstrumentation()],
});
const { once } = require('node:events');
const http = require('node:http');
const { connect } = require('node:net');
const { text } = require('node:stream/consumers');
const pg = require('pg');
const { startRecording, step } = require('barograph');

/** As a Prometheus of another process scrapes: by no client that is instrumented here. */
async function scrape(url) {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

/** What the program does itself: a request to its own server, which asks its own database. */
async function ownWork() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  const server = http.createServer((_request, response) => {
    client.query('select 1').then(() => response.end('done'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text();
  server.close();
  await client.end();
}

async function main() {
  const recording = await startRecording({
    validatorHotkey: '5Validator',
    metricsServer: true,
    refreshMillis: 20,
  });
  const verify = step(
    { name: 'verify', identity: (hotkey) => ({ runId: RUN, minerHotkey: hotkey }) },
    async () => 1,
  );
  let scraped = '';
  for (let batch = 0; batch < 20; batch += 1) {
    await Promise.all(Array.from({ length: 10 }, (_, miner) => verify(`5Miner${batch}x${miner}`)));
    await recording.flush();
    scraped = await scrape(recording.metricsUrl);
  }
  const own = namesOf(host);
  await ownWork();
  await recording.close();
  const isScraped = scraped.startsWith('HTTP/1.1 200') && scraped.includes('barograph_');
  console.log(JSON.stringify({ isScraped, own, names: namesOf(host).sort() }));
}
main();
