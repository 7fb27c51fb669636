"""Reading the last line of this project's own benchmark."""

import json

import pytest

from bench.peers import own
from circuits.cli_support import CommandFailed, ExitCode

LINE = {
    "job": "yardstick", "size": 512, "threads": 2, "kernels": "scalar", "seconds": {"commit": 1.0},
    "core_ms_per_unit": 40.0, "units_per_second": 32.0, "peak_mib": 900, "verified": True,
}  # fmt: skip


def test_a_line_becomes_a_measurement():
    found = own.parse(json.dumps(LINE), "here")
    assert (found.prover, found.variant) == ("plasmaperps", "scalar")
    assert (found.trades, found.threads, found.peak_mib) == (512, 2, 900)
    assert found.core_seconds == pytest.approx(512 * 0.040)
    assert found.core_ms_per_trade == pytest.approx(40.0)
    assert found.seconds == pytest.approx(16.0)


@pytest.mark.parametrize(
    "text",
    [
        "", "proved", "[]", "null", json.dumps({**LINE, "size": 0}),
        json.dumps({**LINE, "core_ms_per_unit": 0}), json.dumps({**LINE, "threads": None}),
        json.dumps({name: value for name, value in LINE.items() if name != "verified"}),
    ],
)  # fmt: skip
def test_another_line_is_refused(text):
    with pytest.raises(CommandFailed) as caught:
        own.parse(text, "here")
    expected = "here: result: expected the object of --json, got "
    assert caught.value.message.startswith(expected)
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_proof_that_does_not_verify_is_no_measurement():
    with pytest.raises(CommandFailed) as caught:
        own.parse(json.dumps({**LINE, "verified": False}), "here")
    assert caught.value.message == "here: expected a proof that verifies, got False"
    assert caught.value.exit_code == ExitCode.VERIFICATION_FAILED


def test_a_file_has_one_object_in_each_line(tmp_path):
    path = tmp_path / "ours.jsonl"
    path.write_text(json.dumps(LINE) + "\n\n" + json.dumps({**LINE, "threads": 1}) + "\n")
    assert [each.threads for each in own.load(path)] == [2, 1]
    path.write_text(json.dumps(LINE) + "\nnot json\n")
    with pytest.raises(CommandFailed) as caught:
        own.load(path)
    assert caught.value.message.startswith(f"{path}: line 2: result: ")
