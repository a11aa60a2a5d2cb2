"""Plays the five steps of a validation for two miners, and records them with `barograph record`.

    npx barograph record                                # listens on 127.0.0.1:4318
    pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    python example.py

No step logs, counts or updates anything: each says once who it is, and what its result means. What a real validator does in
a step is played here; a test holds the rows of this program against those of the same steps in TypeScript.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from barograph_step import CategorizedError, component_score, is_retryable, start_recording, step, with_identity

TODAY = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
T0 = datetime.fromisoformat(sys.argv[1]) if len(sys.argv) > 1 else TODAY
MAX_ATTEMPTS = {"query": 4, "poll": 20, "verify": 4, "day1": 4, "era5": 5}


@dataclass(frozen=True)
class Miner:
    uid: int
    hotkey: str


def identity_of(step_name: str):
    """The miner and the attempt; the run is given once, by with_identity below."""
    return lambda miner, attempt: {
        "miner_uid": miner.uid,
        "miner_hotkey": miner.hotkey,
        "attempt": attempt,
        "max_attempts": MAX_ATTEMPTS[step_name],
    }


def after_query_failed(error, attempt):
    if is_retryable(error) and attempt < MAX_ATTEMPTS["query"]:
        return {
            "status": "retry_scheduled",
            "stage": "inference_requested",
            "next_retry_time": T0 + timedelta(seconds=60),
        }
    failed = {"weather.response.status": "failed", "weather.forecast.status": "failed"}
    return {"status": "failed", "stage": "inference_failed", "attributes": failed}


@step(
    "query",
    identity=identity_of("query"),
    attributes={"weather.stage": "inference_requested", "weather.response.status": "fetch_initiated"},
    outcome=lambda job_id: {
        "status": "succeeded",
        "stage": "inference_running",
        "stage_status": "query_successful",
        "attributes": {"weather.job.id": job_id, "weather.response.status": "inference_running"},
        "context": {"fast_path": False},
    },
    failure=after_query_failed,
)
async def query(miner: Miner, attempt: int) -> str:
    if miner.hotkey == "5Busy":
        raise CategorizedError("rejected_identity", "The miner rejected the request: validator 5Validator is unknown")
    if attempt == 1:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    return f"job-of-{miner.hotkey}"


def after_poll(progress, miner):
    if progress < 100:
        return {
            "status": "retry_scheduled",  # without an error: the miner still computes
            "next_retry_time": T0 + timedelta(seconds=300),
            "stage": f"inference_running_{progress}%",
            "stage_status": "polling",
            "attributes": {"weather.poll.progress": progress, "weather.response.status": "inference_running"},
        }
    return {
        "status": "succeeded",
        "stage": "awaiting_scoring",
        "stage_status": "inference_complete",
        "attributes": {"weather.poll.progress": progress, "weather.response.status": "forecast_ready"},
        "context": {"job_id": f"job-of-{miner.hotkey}"},
    }


@step("poll", identity=identity_of("poll"), outcome=after_poll)  # its substep is attempt_1, attempt_2, ...
async def poll(miner: Miner, attempt: int) -> int:
    return 40 if attempt == 1 else 100


@step(
    "verify",
    identity=identity_of("verify"),
    attributes={"weather.stage": "verification", "weather.response.status": "verifying_manifest"},
    outcome=lambda manifest_hash: {
        "status": "succeeded",
        "attributes": {
            "weather.response.status": "verified_manifest_store_opened",
            "weather.manifest.hash_computed": manifest_hash,
            "weather.manifest.hash_claimed": manifest_hash,
            "weather.verification.passed": True,
        },
    },
)
async def verify(miner: Miner, attempt: int) -> str:
    return "b5c1" * 16


@step(
    "day1",
    identity=lambda miner, attempt: {**identity_of("day1")(miner, attempt), "lead_hours": 12},
    outcome=lambda scores: {
        "status": "succeeded",
        "stage": "day1_scored",
        "attributes": {"weather.score.initial": 0.61, "weather.forecast.status": "day1_scored"},
        "events": scores,
    },
)
def score_day1(miner: Miner, attempt: int) -> list:
    valid_time = T0 + timedelta(hours=12)
    return [
        component_score("day1", "2t", valid_time, rmse=1.5, mse=2.25, acc=0.93, skill_score=0.4, bias=-0.2, mae=1.1),
        component_score("day1", "z", valid_time, pressure_level=500, rmse=81.5, acc=0.97, skill_score=0.55),
    ]


@step(
    "era5",
    identity=lambda miner, attempt, lead: {**identity_of("era5")(miner, attempt), "lead_hours": lead},
    outcome=lambda scores, lead: {
        "status": "succeeded",
        "stage": f"era5_scoring_{lead}h",
        "attributes": {"weather.score.era5": 0.55},
        "events": scores,
    },
    failure=lambda error: {
        "status": "waiting_for_truth",
        "next_retry_time": T0 + timedelta(days=6),
        "error": error,
    },
)
def score_era5(miner: Miner, attempt: int, lead: int) -> list:
    if lead > 24:
        raise CategorizedError("truth_not_ready", f"ERA5 is not yet published for +{lead} h", retryable=True)
    valid_time = T0 + timedelta(hours=lead)
    return [component_score("era5", "2t", valid_time, rmse=1.75, acc=0.91, skill_score=0.35, bias=0.1)]


async def validate(miner: Miner) -> None:
    try:
        await query(miner, 1)
    except ConnectionError:
        await query(miner, 2)  # a real one waits for a minute first
    except CategorizedError:
        return
    for attempt in (1, 2):
        await poll(miner, attempt)
    await verify(miner, 1)
    score_day1(miner, 1)
    for lead in (24, 48):
        try:
            score_era5(miner, 1, lead)
        except CategorizedError:
            pass


async def main() -> None:
    with with_identity(run_id=1, init_time=T0, expected_leads=2):
        await asyncio.gather(validate(Miner(17, "5Able")), validate(Miner(18, "5Busy")))


if __name__ == "__main__":
    recording = start_recording(validator_hotkey=os.environ.get("VALIDATOR_HOTKEY", "5Validator"))
    asyncio.run(main())
    dropped = recording.close()
    print(f"{dropped} records dropped")
    sys.exit(1 if dropped else 0)
