"""What `python/barograph_step.py` promises; run by test/servers/python.test.ts, and alone by `python -m unittest`."""

import asyncio
import enum
import functools
import json
import logging
import multiprocessing
import os
import sys
import threading
import unittest
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python"))

import barograph_step as barograph  # noqa: E402
from opentelemetry import trace  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

IDENTITY = {"run_id": 7, "miner_uid": 3, "miner_hotkey": "5Able"}


class Refusing(SpanExporter):
    """Takes nothing for a while."""

    def __init__(self, refusals: float) -> None:
        self.refusals = refusals
        self.taken: list = []

    def export(self, spans):
        self.refusals -= 1
        if self.refusals >= 0:
            return SpanExportResult.FAILURE
        self.taken.extend(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self):
        pass


class StepCase(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.memory = InMemorySpanExporter()
        self.recording = barograph.start_recording("5Validator", exporter=lambda: self.memory)
        self.addCleanup(self.recording.close)

    def ends(self) -> list:
        self.recording.flush()
        return [span for span in self.memory.get_finished_spans() if span.end_time is not None]

    def test_a_step_returns_and_raises_the_very_objects_of_its_function(self) -> None:
        value, error = object(), StopIteration("own")

        @barograph.step("verify", identity=IDENTITY)
        def returns(given):
            return given

        @barograph.step("verify", identity=IDENTITY)
        def raises():
            raise error

        @barograph.step("verify", identity=IDENTITY)
        async def returns_later(given):
            await asyncio.sleep(0)
            return given

        self.assertIs(returns(value), value)
        self.assertIs(asyncio.run(returns_later(value)), value)
        with self.assertRaises(StopIteration) as caught:
            raises()
        self.assertIs(caught.exception, error)
        self.assertIsNone(error.__context__)
        self.assertEqual(returns.__name__, "returns")
        self.assertTrue(asyncio.iscoroutinefunction(returns_later))

    def test_a_fault_of_a_callback_is_counted_and_reaches_nobody(self) -> None:
        before = barograph.instrumentation_faults().get("outcome", 0)

        @barograph.step("verify", identity=IDENTITY, outcome=lambda value: {"status": value / 0})
        def returns():
            return 5

        self.assertEqual(returns(), 5)
        self.assertEqual(barograph.instrumentation_faults()["outcome"], before + 1)
        [span] = self.ends()
        self.assertEqual(span.attributes["weather.step.status"], "succeeded")
        self.assertEqual(json.loads(span.attributes["weather.step.context"]), {"instrumentation_fault": "outcome"})

    def test_wrong_arguments_raise_what_they_raise_without_the_decorator(self) -> None:
        @barograph.step("verify", identity=lambda run: {"run_id": run})
        def takes_one(run):
            return run

        with self.assertRaisesRegex(TypeError, "takes_one"):
            takes_one()

    def test_a_definition_outside_of_the_vocabulary_is_refused_with_what_is_allowed(self) -> None:
        for definition in (
            lambda: barograph.step("polling")(lambda: None),
            lambda: barograph.step("seed")(lambda: None),
            lambda: barograph.step("query", substep="fetch")(lambda: None),
            lambda: barograph.step("query", identity=lambda run: {})(lambda other: None),
        ):
            with self.assertRaisesRegex(ValueError, "allowed: "):
                definition()
        with self.assertRaisesRegex(TypeError, "generator"):
            barograph.step("query")((lambda: (yield)))

    def test_steps_inside_inherit_run_and_miner_but_no_attempt_and_are_children(self) -> None:
        @barograph.step("communication", substep="forecast_file", identity={"attempt": 1})
        async def inner():
            return barograph.current_traceparent()

        @barograph.step("verify", identity={**IDENTITY, "attempt": 4})
        async def outer():
            return (await asyncio.gather(inner(), inner()))[0]

        traceparent = asyncio.run(outer())
        first, second, parent = self.ends()
        self.assertEqual({first.parent.span_id, second.parent.span_id}, {parent.context.span_id})
        self.assertEqual(traceparent.split("-")[1], f"{parent.context.trace_id:032x}")
        self.assertEqual([one.attributes["weather.step.attempt"] for one in (first, parent)], [1, 4])
        self.assertEqual(first.attributes["weather.miner.hotkey"], "5Able")
        self.assertEqual(barograph.current_identity(), {})

    def test_a_host_with_an_sdk_of_its_own_keeps_its_spans_and_is_the_parent(self) -> None:
        host = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(host))

        @barograph.step("verify", identity=IDENTITY)
        def returns():
            return trace.get_current_span()

        with provider.get_tracer("host").start_as_current_span("of the host") as span:
            self.assertIs(returns(), span)
        self.assertEqual([one.name for one in host.get_finished_spans()], ["of the host"])
        [step] = self.ends()
        self.assertEqual(step.parent.span_id, span.get_span_context().span_id)

    def test_starts_come_before_ends_under_the_same_number_and_numbers_have_no_gap(self) -> None:
        @barograph.step("poll", identity={**IDENTITY, "attempt": 2})
        def poll():
            return None

        for _ in range(20):
            poll()
        self.recording.flush()
        spans = self.memory.get_finished_spans()
        starts = [one for one in spans if one.end_time is None]
        numbers = [one.attributes["weather.emitter.sequence"] for one in self.ends()]
        self.assertEqual(numbers, list(range(1, 21)))
        self.assertEqual([one.attributes["weather.emitter.sequence"] for one in starts], numbers)
        self.assertEqual({one.attributes["weather.step.substep"] for one in spans}, {"attempt_2"})
        self.assertEqual({one.attributes["weather.step.status"] for one in starts}, {"in_progress"})

    def test_values_of_numpy_enums_and_instants_are_those_of_the_vocabulary(self) -> None:
        class Float32:
            def item(self):
                return 1.5

        class Status(enum.Enum):
            FAILED = "failed"

        at = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)
        attributes = {"weather.score.initial": Float32(), "weather.forecast.status": Status.FAILED, "weather.stage": None}
        score = barograph.component_score("day1", "2t", at, rmse=Float32())

        @barograph.step("day1", identity={**IDENTITY, "init_time": at}, attributes=attributes, outcome=lambda events: {"events": events})
        def scores():
            return [score]

        scores()
        [span] = self.ends()
        self.assertEqual(span.attributes["weather.score.initial"], 1.5)
        self.assertEqual(span.attributes["weather.forecast.status"], "failed")
        self.assertEqual(span.attributes["weather.run.init_time"], "2026-11-23T02:00:00.000Z")
        self.assertNotIn("weather.stage", span.attributes)
        self.assertEqual(span.events[0].attributes["weather.component.rmse"], 1.5)

    def test_limits_and_sampler_of_the_environment_cut_nothing(self) -> None:
        self.recording.close()
        limits = {"OTEL_SPAN_EVENT_COUNT_LIMIT": "8", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "4", "OTEL_ATTRIBUTE_COUNT_LIMIT": "4"}
        os.environ.update(limits, OTEL_TRACES_SAMPLER="always_off")
        try:
            memory = InMemorySpanExporter()
            recording = barograph.start_recording("5Validator", exporter=lambda: memory, sends_starts=False)
            at = datetime.now(timezone.utc)
            scores = [barograph.component_score("day1", "z", at, pressure_level=level) for level in range(200)]
            barograph.step("day1", identity=IDENTITY, outcome=lambda events: {"events": events})(lambda: scores)()
            recording.close()
        finally:
            for name in (*limits, "OTEL_TRACES_SAMPLER"):
                del os.environ[name]
        [span] = memory.get_finished_spans()
        self.assertEqual(len(span.events), 200)
        self.assertEqual(span.attributes["weather.miner.hotkey"], "5Able")

    def test_a_recorder_that_was_away_gets_everything_and_what_is_lost_is_counted(self) -> None:
        self.recording.close()
        for refusals, timeout, lost in ((1, 30, 0), (float("inf"), 0.01, 4)):
            exporter = Refusing(refusals)
            recording = barograph.start_recording("5Validator", exporter=lambda: exporter)
            returns = barograph.step("verify", identity=IDENTITY)(lambda: None)
            returns()
            returns()
            self.assertEqual(recording.close(timeout), lost)
            self.assertEqual(len(exporter.taken), 4 - lost)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_a_forked_child_is_a_process_of_its_own_and_its_parent_goes_on(self) -> None:
        @barograph.step("verify", identity=IDENTITY)
        def returns():
            return None

        returns()
        context = multiprocessing.get_context("fork")
        told, tells = context.Pipe(duplex=False)

        def child():
            returns()
            self.recording.flush()
            # What the parent had recorded by then stands in the copied memory, too.
            of_child = [
                (one.resource.attributes["service.instance.id"], one.attributes["weather.emitter.sequence"])
                for one in self.memory.get_finished_spans()
                if one.resource.attributes["service.instance.id"] == self.recording.instance_id
            ]
            tells.send(of_child)

        process = context.Process(target=child)
        process.start()
        tells.close()
        of_child = told.recv()
        process.join()
        self.assertEqual(process.exitcode, 0)
        returns()
        self.assertEqual([one.attributes["weather.emitter.sequence"] for one in self.ends()], [1, 2])
        self.assertEqual([number for _id, number in of_child], [1, 1])
        self.assertNotEqual(of_child[0][0], self.recording.instance_id)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_a_step_that_forks_ends_once_in_the_process_that_began_it(self) -> None:
        reader, writer = os.pipe()

        @barograph.step("verify", identity=IDENTITY)
        def forks():
            return os.fork()

        pid = forks()
        if pid == 0:
            self.recording.flush()
            own = [one for one in self.memory.get_finished_spans() if one.end_time is not None]
            os.write(writer, str(len(own)).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        self.assertEqual(os.read(reader, 10), b"0")
        self.assertEqual(len(self.ends()), 1)

    def test_a_cancelled_coroutine_is_a_failed_step_and_stays_cancelled(self) -> None:
        @barograph.step("poll", identity=IDENTITY)
        async def waits():
            await asyncio.sleep(60)

        async def main():
            task = asyncio.ensure_future(waits())
            await asyncio.sleep(0)
            task.cancel()
            await task

        with self.assertRaises(asyncio.CancelledError):
            asyncio.run(main())
        [span] = self.ends()
        self.assertEqual((span.attributes["weather.step.status"], span.attributes["error.type"]), ("failed", "timeout"))

    def test_threads_record_at_once_and_no_number_is_used_twice(self) -> None:
        returns = barograph.step("verify", identity=IDENTITY)(lambda: None)
        threads = [threading.Thread(target=lambda: [returns() for _ in range(50)]) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        numbers = [one.attributes["weather.emitter.sequence"] for one in self.ends()]
        self.assertEqual(sorted(numbers), list(range(1, 401)))

    def test_partials_and_methods_are_steps_as_functions_are(self) -> None:
        class Miners:
            @barograph.step("verify", identity=lambda self, run: {**IDENTITY, "run_id": run, "miner_uid": self.uid})
            def verify(self, run=9):
                return run

            uid = 12

        self.assertEqual(Miners().verify(), 9)
        self.assertEqual(barograph.step("verify", identity=IDENTITY)(functools.partial(int, "7"))(), 7)
        self.assertEqual(self.ends()[0].attributes["weather.run.id"], 9)
        self.assertEqual(self.ends()[0].attributes["weather.miner.uid"], 12)


class ClassificationCase(unittest.TestCase):
    def test_errors_of_python_and_its_packages_have_the_category_of_their_kind(self) -> None:
        class ReadTimeout(Exception):
            pass

        class HTTPError(Exception):
            code = 503

        caused = RuntimeError("asking failed")
        caused.__cause__ = ConnectionResetError(104, "Connection reset by peer")
        for error, category in (
            (TimeoutError(), "timeout"),
            (caused, "connection"),
            (HTTPError("x"), "http_5xx"),
            (json.JSONDecodeError("no", "x", 0), "invalid_response"),
            (MemoryError(), "out_of_memory"),
            (KeyError("timed out"), "validator_internal"),
            (PermissionError(13, "Permission denied"), "validator_internal"),
            (KeyboardInterrupt(), "process_crash"),
            (ReadTimeout("Read timed out"), "timeout"),
            (ValueError("status code 404"), "not_found"),
            (barograph.CategorizedError("truth_missing", "no ERA5"), "truth_missing"),
            (Exception("?"), "unknown"),
        ):
            self.assertEqual(barograph.classify_error(error), category, repr(error))


if __name__ == "__main__":
    if sys.argv[1:] == ["classify"]:  # messages as JSON lines, for the comparison with TypeScript
        for line in sys.stdin:
            print(barograph.classify_error(Exception(json.loads(line))), flush=True)
    else:
        unittest.main(verbosity=2)
