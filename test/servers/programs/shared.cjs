// A program that wants the steps in its own traces: by our processor, by our exporter, and with limits that would cut them.
const pg = require('pg');
const { context, propagation, trace } = require('@opentelemetry/api');
const { startRecording, withIdentity } = require('barograph');
const { createPostgresExporter } = require('barograph/postgres');
const { RUN, namesOf, nested, request, startHost } = require('./host.cjs');

const LINK = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const spansOf = ({ exporter }) =>
  exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    span: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId ?? span.parentSpanId ?? null,
    links: span.links.length,
  }));
const unregister = () => [context, propagation, trace].forEach((api) => api.disable());

async function main(sdk) {
  const recording = await startRecording({ validatorHotkey: '5Validator' });
  const host = startHost({ sdk, processors: [recording.spanProcessor] });
  await request(() => nested(RUN, [LINK]));
  await recording.flush();
  const byProcessor = spansOf(host);
  unregister();
  const spanLimits = { attributeCountLimit: 3, attributeValueLengthLimit: 4 };
  const limited = startHost({ sdk, processors: [recording.spanProcessor], spanLimits });
  await request(() => nested(RUN + 1));
  await recording.close();
  unregister();
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  const exporting = startHost({ sdk, exporters: [createPostgresExporter({ pool })] });
  await request(() => withIdentity({ validatorHotkey: '5Validator' }, () => nested(RUN + 2, [LINK])));
  const byExporter = spansOf(exporting);
  await exporting.provider.shutdown();
  await pool.end();
  console.log(JSON.stringify({ byProcessor, limited: namesOf(limited), byExporter }));
}
main(process.argv[2]);
