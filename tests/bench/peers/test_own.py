"""Reading the last line of this project's own benchmark."""

import json
import sys

import pytest

from bench.peers import own, tools
from circuits.cli_support import CommandFailed, ExitCode

LINE = {
    "job": "yardstick", "size": 512, "threads": 2, "kernels": "scalar", "seconds": {"commit": 1.0},
    "core_ms_per_unit": 40.0, "units_per_second": 32.0, "peak_mib": 900, "verified": True,
    "executor": "inline", "start_core_seconds": 2.56,
}  # fmt: skip


def test_a_line_becomes_a_measurement():
    found = own.parse(json.dumps(LINE), "here")
    assert (found.prover, found.variant) == ("plasmaperps", "scalar")
    assert (found.trades, found.threads, found.peak_mib) == (512, 2, 900)
    assert found.core_seconds == pytest.approx(512 * 0.040)
    assert found.core_ms_per_trade == pytest.approx(40.0)
    assert found.seconds == pytest.approx(16.0)
    assert found.core_ms_with_start == pytest.approx(45.0)


@pytest.mark.parametrize(
    "text",
    [
        "", "proved", "[]", "null", json.dumps({**LINE, "size": 0}),
        json.dumps({**LINE, "core_ms_per_unit": 0}), json.dumps({**LINE, "threads": None}),
        json.dumps({**LINE, "job": "msm"}), json.dumps({**LINE, "executor": "ray"}),
        json.dumps({name: value for name, value in LINE.items() if name != "verified"}),
    ],
)  # fmt: skip
def test_another_line_is_refused(text):
    with pytest.raises(CommandFailed) as caught:
        own.parse(text, "here")
    expected = "here: result: expected the object of a yardstick's --json, got "
    assert caught.value.message.startswith(expected)
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_proof_that_does_not_verify_is_no_measurement():
    with pytest.raises(CommandFailed) as caught:
        own.parse(json.dumps({**LINE, "verified": False}), "here")
    assert caught.value.message == "here: expected a proof that verifies, got False"
    assert caught.value.exit_code == ExitCode.VERIFICATION_FAILED


def test_a_proof_that_is_refused_keeps_its_exit_code():
    child = "import sys; print('Error: refused'); sys.exit(5)"
    for arguments, exit_code in (({"keeps_exit_code": True}, 5), ({}, 2)):
        with pytest.raises(CommandFailed) as caught:
            tools.run([sys.executable, "-c", child], **arguments)
        assert caught.value.exit_code == exit_code
        assert caught.value.message.endswith("expected exit status 0, got 5: Error: refused")


def test_a_file_has_one_object_in_each_line(tmp_path):
    path = tmp_path / "ours.jsonl"
    text = "yardstick: 2 threads\n\n512 trades\n"
    path.write_text(text + json.dumps(LINE) + "\n" + json.dumps({**LINE, "threads": 1}) + "\n")
    assert [each.threads for each in own.load(path)] == [2, 1]
    path.write_text(text)
    with pytest.raises(CommandFailed, match="expected a line with the object of --json, got none"):
        own.load(path)
    path.write_text(json.dumps(LINE) + "\n{not json\n")
    with pytest.raises(CommandFailed) as caught:
        own.load(path)
    assert caught.value.message.startswith(f"{path}: line 2: result: ")
