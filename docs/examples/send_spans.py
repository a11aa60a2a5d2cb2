"""Sends one step of a pipeline to `barograph record`, as any program with an OpenTelemetry SDK can.

pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python send_spans.py
"""

import uuid
from datetime import datetime, timezone

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import StatusCode

provider = TracerProvider(
    resource=Resource.create(
        {
            "service.name": "my-validator",
            "service.instance.id": str(uuid.uuid4()),
            "weather.validator.hotkey": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
        }
    )
)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = trace.get_tracer("my-validator", tracer_provider=provider)

T0 = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)

with tracer.start_as_current_span("query", record_exception=True) as span:
    span.set_attributes(
        {
            "weather.run.id": 1,
            "weather.run.init_time": T0.isoformat().replace("+00:00", "Z"),
            "weather.miner.uid": 17,
            "weather.miner.hotkey": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
            "weather.step.name": "query",
            "weather.step.substep": "initiate_fetch",
            "weather.step.attempt": 1,
            "weather.step.max_attempts": 4,
        }
    )
    # ... ask the miner here; then say how it went.
    span.set_attributes(
        {
            "weather.step.status": "succeeded",
            "weather.stage": "inference_running",
            "weather.stage.status": "query_successful",
            "weather.response.status": "inference_running",
            "weather.job.id": str(uuid.uuid4()),
        }
    )
    span.set_status(StatusCode.OK)

provider.shutdown()  # sends what is left
