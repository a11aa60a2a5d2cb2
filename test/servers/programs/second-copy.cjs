// A program whose OpenTelemetry was registered by another, older copy of the API, which a copy of 1.9 cannot share.
const { trace } = require('api-1.4');
const { startRecording } = require('barograph');
const { RUN, nested } = require('./host.cjs');
const { BasicTracerProvider } = require('sdk-trace-1');

trace.setGlobalTracerProvider(new BasicTracerProvider());

async function main() {
  const problems = [];
  const onProblem = (message) => problems.push(message);
  const recording = await startRecording({ validatorHotkey: '5Validator', refreshMillis: 10, onProblem });
  await nested(RUN);
  await recording.flush();
  while (problems.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await recording.close();
  console.log(JSON.stringify(problems));
}
main();
