"""Every tamper of a real margin proof is refused by the error that the list names."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from circuits.exchange.json_form import TimedBody, encode_line
from circuits.statement import from_json
from prover.srs_tools import development_secret
from sequencer.cli import main
from sequencer.command_file import Header
from tests.support.exchange import deposit, register, transfer, withdraw
from tests.support.known_tau import check_with
from tests.tampers import Claim, tampers
from verifier import cli, opening
from verifier.errors import VerificationError
from verifier.key import load_key
from verifier.verify import verify

HEADER = Header(31337, 0x5E771E)
BODIES = [register(1), deposit(1, 50), register(2), transfer(1, 2, 2, 10), withdraw(2, 1, 4)]


def run(*arguments: object) -> None:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


def claim_in(folder: Path) -> Claim:
    """One batch with every kind of command, proven in the smallest shape."""
    day, stem = folder / "day.jsonl", folder / "out" / "batch-0001"
    lines = [HEADER.encode(), *(encode_line(TimedBody(5, body)) for body in BODIES)]
    day.write_text("".join(line + "\n" for line in lines))
    run("op", "run-file", day, "--out", folder / "out")
    proof = stem.with_suffix(".proof")
    run("prover", "prove", stem.with_suffix(".witness"), "-o", proof)
    statement = from_json(stem.with_suffix(".statement").read_text())
    key = load_key(cli.PACKAGED_KEYS / "S.json")
    return Claim(key, statement.words(), statement.pubdata, proof.read_bytes())


@pytest.mark.slow
def test_every_tamper_of_a_margin_proof_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claim_in(tmp_path)
    verify(claim.key, claim.words, claim.pubdata, claim.proof)
    # The pairing itself is tested elsewhere; hundreds of them would take minutes.
    monkeypatch.setattr(opening, "pairing_check", check_with(development_secret()))
    verify(claim.key, claim.words, claim.pubdata, claim.proof)
    wrong = []
    for tamper in tampers(claim.key, len(claim.pubdata)):
        changed = tamper.apply(claim)
        assert changed != claim, tamper.name
        try:
            verify(changed.key, changed.words, changed.pubdata, changed.proof)
        except VerificationError as error:
            found: type[VerificationError] | None = type(error)
        else:
            found = None
        if found is not tamper.error:
            wrong.append((tamper.name, tamper.error, found))
    assert wrong == []
