"""Lines for people and the JSON object for scripts."""

import json
from dataclasses import replace

import pytest

from prover.bench.report import (
    cost_text,
    growth_line,
    json_line,
    linear_fit,
    lines,
    setting_line,
    soak_json_line,
    start_json_line,
)
from prover.bench.soak import Soak
from prover.bench.start import Start
from prover.executor_options import ExecutorKind
from prover.kernel_choice import Kernels
from tests.support.measurements import SETTING, proof, single

FIELDS = {
    "job", "size", "unit", "threads", "kernels", "executor", "workers", "seconds",
    "core_ms_per_unit", "units_per_second", "peak_mib", "verified", "runs", "start_seconds",
    "start_core_seconds", "measurements", "cpu", "version",
}  # fmt: skip
MEASUREMENT_FIELDS = {
    "name", "size", "unit", "seconds", "core_ms_per_unit", "units_per_second", "peak_mib",
    "verified", "runs",
}  # fmt: skip


def test_one_proof_is_shown_by_stage() -> None:
    first, ready, *shown = lines("yardstick", SETTING, [proof(100, 3.5)])
    assert first.startswith("yardstick: 2 threads, scalar kernels, inline, on ")
    assert ready == "kernels ready after 1.2 s"
    assert shown == [
        "",
        "100 trades",
        "  stage    seconds  share  core seconds",
        "  witness    0.500   25 %         0.875",
        "  commit     1.500   75 %         2.625",
        "  all        2.000                3.500",
        "  verify     0.500                0.500",
        "  all repeats: 4.000, 2.000 s",
        "  35.00 ms of core time per trade, 50.0 trades per second, peak 512 MiB, verified",
    ]


@pytest.mark.parametrize(("workers", "place"), [(1, "1 worker"), (3, "3 workers")])
def test_workers_are_told(workers: int, place: str) -> None:
    setting = replace(SETTING, executor=ExecutorKind.PROCESS, workers=workers)
    assert f" kernels, process with {place}, on " in setting_line("yardstick", setting)
    found = json.loads(json_line("yardstick", setting, [proof(100, 3.5)]))
    assert (found["executor"], found["workers"]) == ("process", workers)


def test_several_sizes_end_with_their_growth() -> None:
    measurements = [proof(100, 3.0), proof(400, 9.0)]
    *_, header, small, large, growth = lines("yardstick", SETTING, measurements)
    assert header.split("  ")[2:] != []
    assert small.split() == [
        "yardstick", "100", "4.000,", "2.000", "30.00", "ms", "50.0", "512",
    ]  # fmt: skip
    assert large.split()[1] == "400"
    assert (
        growth
        == growth_line(measurements)
        == (
            "4 times the trades cost 3 times the core time (exponent 0.79); "
            "20.00 ms for each trade more"
        )
    )


def test_jobs_of_one_stage_get_a_line_each() -> None:
    measurements = [single("fr_mul", 1000, 25e-6), single("fr_add", 1000, 4e-6)]
    *_, empty, header, first, second = lines("field", SETTING, measurements)
    assert empty == ""
    assert "core time per element" in header
    assert first.split() == ["fr_mul", "1,000", "0.000", "25.0", "ns", "40.00", "million", "64"]
    assert second.split()[3] == "4.0"


def test_the_fit_is_exact_on_a_line() -> None:
    slope, intercept = linear_fit([proof(n, 0.5 + 0.02 * n) for n in (10, 50, 300)])
    assert (slope, intercept) == (pytest.approx(0.02), pytest.approx(0.5))


@pytest.mark.parametrize(
    ("cost_ms", "text"), [(35.0, "35.00 ms"), (0.01, "0.01 ms"), (2.5e-5, "25.0 ns")]
)
def test_small_costs_are_in_nanoseconds(cost_ms: float, text: str) -> None:
    assert cost_text(cost_ms) == text


def test_the_json_object_has_the_documented_fields_and_the_largest_figures() -> None:
    found = json.loads(json_line("yardstick", SETTING, [proof(400, 9.0), proof(100, 3.5)]))
    assert set(found) == FIELDS
    assert [set(each) for each in found["measurements"]] == [MEASUREMENT_FIELDS] * 2
    assert found["measurements"][0] == {"name": "yardstick"} | {
        name: found[name] for name in MEASUREMENT_FIELDS - {"name"}
    }
    assert found["seconds"] == {"witness": 0.5, "commit": 1.5, "verify": 0.5}
    assert (found["size"], found["unit"], found["core_ms_per_unit"]) == (400, "trade", 22.5)
    assert (found["units_per_second"], found["peak_mib"]) == (200.0, 512.0)
    assert found["runs"] == [4.0, 2.0]
    assert (found["threads"], found["kernels"], found["executor"]) == (2, "scalar", "inline")
    assert (found["start_seconds"], found["start_core_seconds"]) == (1.25, 1.75)
    assert found["verified"] is True
    assert found["cpu"]
    assert found["version"]


def test_of_equal_sizes_the_first_gives_the_figures() -> None:
    measurements = [single("fr_mul", 1000, 25e-6), single("fr_add", 1000, 4e-6)]
    assert json.loads(json_line("field", SETTING, measurements))["core_ms_per_unit"] == 2.5e-5


def test_a_wrong_result_is_said() -> None:
    wrong = [proof(10, 1.0, verified=False)]
    assert json.loads(json_line("yardstick", SETTING, wrong))["verified"] is False
    assert list(lines("yardstick", SETTING, wrong))[-1].endswith(", NOT verified")


def test_soak_and_start_have_fields_of_their_own() -> None:
    found = json.loads(soak_json_line(SETTING, Soak((100.0, 101.0))))
    assert {name: found[name] for name in sorted(set(found) - {"cpu", "version"})} == {
        "early_mib": 100.0, "executor": "inline", "growth_percent": 1.0, "job": "soak",
        "kernels": "scalar", "late_mib": 101.0, "size": 2, "threads": 2, "workers": 0,
    }  # fmt: skip
    found = json.loads(start_json_line(Kernels.SCALAR, Start(60.123, 1.0, 80, 0)))
    assert {name: found[name] for name in sorted(set(found) - {"cpu", "version"})} == {
        "cold_compiled": 80, "cold_seconds": 60.12, "job": "start", "kernels": "scalar",
        "warm_compiled": 0, "warm_seconds": 1.0,
    }  # fmt: skip
