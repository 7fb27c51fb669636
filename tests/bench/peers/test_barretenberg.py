"""What is read from Barretenberg's program and its output; the program itself is not needed."""

import pytest

from bench.peers import barretenberg
from circuits.cli_support import CommandFailed, ExitCode


@pytest.mark.parametrize(
    ("system", "processor", "folder"),
    [
        ("linux", "x86_64", "amd64-linux"), ("linux", "aarch64", "arm64-linux"),
        ("darwin", "arm64", "arm64-macos"), ("darwin", "x86_64", "amd64-macos"),
    ],
)  # fmt: skip
def test_each_supported_system_has_its_program(system, processor, folder):
    path = barretenberg.binary(system, processor)
    assert path.parts[-5:] == ("@aztec", "bb.js", "build", folder, "bb")


@pytest.mark.parametrize(("system", "processor"), [("win32", "AMD64"), ("linux", "riscv64")])
def test_another_system_is_refused_in_one_line(system, processor):
    with pytest.raises(CommandFailed) as caught:
        barretenberg.binary(system, processor)
    expected = "expected Linux or macOS on x86-64 or ARM64"
    assert caught.value.message == f"barretenberg: {expected}, got {system} on {processor}"
    assert caught.value.exit_code == ExitCode.USAGE


def test_memory_grows_with_the_padded_circuit():
    assert barretenberg.needed_mib(17) < barretenberg.needed_mib(18) < barretenberg.needed_mib(19)
    # Measured at 2^19 rows: 684 MiB.
    assert 684 < barretenberg.needed_mib(19) < 2 * 684


def test_gates_are_found_behind_log_lines():
    output = (
        'Scheme is: ultra_honk\n{"functions": [\n {"acir_opcodes": 2, "circuit_size": 126290}]}'
    )
    assert barretenberg.gates_in(output) == 126290


@pytest.mark.parametrize("output", ["", "no", '{"functions": []}', '{"functions": [{}]}'])
def test_output_without_gates_is_refused(output):
    with pytest.raises(CommandFailed) as caught:
        barretenberg.gates_in(output)
    expected = f"bb gates: output: expected a circuit size, got {output!r}"
    assert caught.value.message == expected


def test_the_peak_is_the_largest_figure_of_the_log():
    output = "Scheme is: ultra_honk (mem: 5.00 MiB)\nkey (mem: 172.75 MiB)\nsaved (mem: 9 MiB)"
    assert barretenberg.peak_mib_in(output, 172.7) == 172.75
    assert barretenberg.peak_mib_in(output, 172.75) == 0.0
    assert barretenberg.peak_mib_in("", 100.0) == 0.0
