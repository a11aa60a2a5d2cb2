// Reports to `barograph record` that a run is over, for a run whose own pipeline never will.
//
// OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node end-run.mjs 5Grw… 7 'its pipeline was taken down'
// With a token: BAROGRAPH_INGEST_TOKEN. The run keeps all of its rows and gets the status stale_abandoned.

import { randomBytes } from 'node:crypto';

const [validator, run, reason] = process.argv.slice(2);
if (!validator || !/^\d+$/.test(run ?? '') || !reason) {
  console.error('Usage: node end-run.mjs <hotkey of the validator> <id of the run> <reason>');
  process.exit(2);
}

const text = (stringValue) => ({ stringValue });
const attributes = (values) => Object.entries(values).map(([key, value]) => ({ key, value }));
const now = `${Date.now()}000000`;

const span = {
  traceId: randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
  name: 'orchestration decision',
  startTimeUnixNano: now,
  endTimeUnixNano: now,
  attributes: attributes({
    'weather.run.id': { intValue: run },
    'weather.step.name': text('orchestration'),
    'weather.step.substep': text('decision'),
    'weather.step.attempt': { intValue: '1' },
    'weather.step.status': text('succeeded'),
    'weather.run.status': text('stale_abandoned'),
    'weather.run.error_message': text(reason),
  }),
  events: [
    {
      name: 'weather.orchestration.decision',
      timeUnixNano: now,
      attributes: attributes({
        'weather.orchestration.decision': text('abandon_run'),
        'weather.orchestration.reason': text(reason),
        'weather.orchestration.level': text('WARN'),
      }),
    },
  ],
};

const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318';
const token = process.env.BAROGRAPH_INGEST_TOKEN;
const response = await fetch(`${endpoint.replace(/\/$/, '')}/v1/traces`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  body: JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'weather.validator.hotkey': text(validator) }) },
        scopeSpans: [{ spans: [span] }],
      },
    ],
  }),
});
const body = await response.text();
console.log(`${response.status} ${body}`);
// A span that is refused is named in the body of a response that is a success otherwise.
process.exitCode = response.ok && !body.includes('rejectedSpans') ? 0 : 1;
