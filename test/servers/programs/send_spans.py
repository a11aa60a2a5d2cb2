"""Sends steps as a stock program does: nothing of ours, and the settings of the SDK but for what the environment says.

The first argument names the exporter, or is "instrumented" under "opentelemetry-instrument", which has made everything.

Reads orders from its input and answers each with a line: "send 30" makes so many spans at the pace of the second argument (seconds between two
of them), "flush" sends what waits. The end of the input shuts the SDK down.
"""

import itertools
import sys
import time
import uuid
from datetime import datetime, timezone

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

EXPORTERS = {"http/protobuf": HttpExporter, "grpc": GrpcExporter}


def own_provider(exporter: str) -> TracerProvider:
    made = TracerProvider(
        resource=Resource.create(
            {
                "service.name": "stock",
                "service.instance.id": str(uuid.uuid4()),
                "weather.validator.hotkey": "5Validator",
            }
        )
    )
    made.add_span_processor(BatchSpanProcessor(EXPORTERS[exporter]()))
    trace.set_tracer_provider(made)
    return made


provider = trace.get_tracer_provider() if sys.argv[1] == "instrumented" else own_provider(sys.argv[1])
tracer = trace.get_tracer("stock")
pace = float(sys.argv[2])
numbers = itertools.count(1)
T0 = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def make(number: int) -> None:
    with tracer.start_as_current_span("poll") as span:
        span.set_attributes(
            {
                "weather.run.id": 1,
                "weather.run.init_time": T0,
                "weather.miner.uid": 17,
                "weather.miner.hotkey": "5Able",
                "weather.step.name": "poll",
                "weather.step.substep": f"attempt_{number}",
                "weather.step.attempt": number,
                "weather.step.status": "succeeded",
                "weather.emitter.sequence": number,
            }
        )


for line in sys.stdin:
    order, *count = line.split()
    if order == "send":
        for _ in range(int(count[0])):
            make(next(numbers))
            time.sleep(pace)
    else:
        provider.force_flush()
    print(f"{order} is done", flush=True)
provider.shutdown()
