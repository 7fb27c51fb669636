"""Answers on disk: found again, torn ends dropped, foreign files refused."""

import errno
import os

import pytest

from prover.cluster.checkpoint import Checkpoint, from_json, to_json
from prover.cluster.errors import CheckpointMismatch
from prover.cluster.steps import FoldedRows, Pieces, Points, Rows, Sums
from prover.kernels import fr

JOB = {"job": "toy", "witness": "abc"}
ANSWERS = [
    Points(((1, 2), (0, 0))),
    Sums({0: (1, 2, 3), 7: ((1 << 253) + 5,)}),
    Rows({3: (FoldedRows(0, 2, bytes(range(64))),)}),
    Points(()),
    Sums({}),
]


def write(path, answers=ANSWERS):
    checkpoint = Checkpoint(path, JOB)
    for number, answer in enumerate(answers, start=len(checkpoint)):
        checkpoint.append(number, f"place {number}", answer)
    checkpoint.close()


def read(path, job=JOB):
    checkpoint = Checkpoint(path, job)
    found = []
    while (answer := checkpoint.find(len(found), f"place {len(found)}")) is not None:
        found.append(answer)
    assert len(checkpoint) == len(found)
    checkpoint.close()
    return found


@pytest.mark.parametrize("answer", ANSWERS)
def test_json_gives_the_answer_back(answer):
    assert from_json(to_json(answer)) == answer


def test_pieces_are_not_recorded():
    with pytest.raises(TypeError):
        to_json(Pieces(((0, fr.zeros(1)),)))


def test_answers_are_found_again_and_more_can_follow(tmp_path):
    path = tmp_path / "checkpoint"
    write(path)
    assert read(path) == ANSWERS
    write(path, ANSWERS[:2])
    assert read(path) == ANSWERS + ANSWERS[:2]


def test_every_torn_end_loses_no_more_than_what_is_torn(tmp_path):
    path = tmp_path / "checkpoint"
    write(path)
    data = path.read_bytes()
    ends = [position + 1 for position, byte in enumerate(data) if byte == ord("\n")]
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        whole = sum(end <= size for end in ends)
        assert read(path) == ANSWERS[: max(0, whole - 1)]
        # What was read is all that is left, so new answers follow whole ones.
        write(path, [Sums({1: (1,)})])
        assert read(path) == [*ANSWERS[: max(0, whole - 1)], Sums({1: (1,)})]


def test_a_flipped_bit_ends_what_is_believed(tmp_path):
    path = tmp_path / "checkpoint"
    write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(1, len(lines)):
        damaged = bytearray(lines[number])
        damaged[-10] ^= 1
        path.write_bytes(b"".join([*lines[:number], bytes(damaged), *lines[number + 1 :]]))
        assert read(path) == ANSWERS[: number - 1]


def test_answers_are_forgotten_from_a_number_on(tmp_path):
    path = tmp_path / "checkpoint"
    write(path)
    checkpoint = Checkpoint(path, JOB)
    checkpoint.truncate(2)
    assert checkpoint.find(2, "place 2") is None
    checkpoint.append(2, "place 2", Points(((5, 6),)))
    checkpoint.truncate(9)
    checkpoint.close()
    assert read(path) == [*ANSWERS[:2], Points(((5, 6),))]


@pytest.mark.parametrize("field", JOB)
def test_another_job_s_checkpoint_is_refused(tmp_path, field):
    path = tmp_path / "checkpoint"
    write(path)
    with pytest.raises(CheckpointMismatch) as caught:
        Checkpoint(path, JOB | {field: "other"})
    remedy = f"; remove {tmp_path} to start over"
    assert str(caught.value) == f"{path}: {field}: expected other, got {JOB[field]}{remedy}"
    assert read(path) == ANSWERS


def test_an_answer_to_another_question_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    write(path)
    checkpoint = Checkpoint(path, JOB)
    with pytest.raises(CheckpointMismatch) as caught:
        checkpoint.find(1, "elsewhere")
    remedy = f"; remove {tmp_path} to start over"
    assert str(caught.value) == f"{path}: answer 1: expected elsewhere, got place 1{remedy}"
    checkpoint.close()


def test_a_full_disk_is_an_error_with_the_file_s_name(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    write(path)
    checkpoint = Checkpoint(path, JOB)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_file", FullFile(checkpoint._file))
        with pytest.raises(OSError, match="No space left") as caught:
            checkpoint.append(len(ANSWERS), "place", Points(()))
    assert caught.value.filename == str(path)
    checkpoint.close()
    assert read(path) == ANSWERS


class FullFile:
    """A file on a disk without room."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
