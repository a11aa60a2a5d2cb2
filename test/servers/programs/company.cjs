// A program with an OpenTelemetry of its own, registered before or after the recording starts.
const { startRecording } = require('barograph');
const { RUN, namesOf, nested, registered, request, startHost } = require('./host.cjs');

async function main(order) {
  const first = order === 'before' ? startHost() : null;
  const atFirst = registered();
  const recording = await startRecording({ validatorHotkey: '5Validator' });
  if (first === null) await nested(RUN + 1);
  const host = first ?? startHost();
  const before = first === null ? registered() : atFirst;
  const { traceId, spanId, active } = await request(() => nested(RUN));
  const during = registered();
  await recording.close();
  await request(() => undefined);
  const after = registered();
  const isSame = [during, after].every((each) => each.every((it, index) => it === before[index]));
  console.log(JSON.stringify({ traceId, spanId, active: active.active, isSame, names: namesOf(host) }));
}
main(process.argv[2]);
