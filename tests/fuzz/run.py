"""Fuzzes a reader: ``python tests/fuzz/run.py TARGET SECONDS`` (csv, fhir, json, xlsx).

Atheris feeds it bytes that it makes up by which lines they reach (libFuzzer). An exception, more than ten seconds for one input, or more than 2 GiB of
memory ends the run with exit 77 or so, and the bytes are written to crash-* in the current folder; ``python tests/fuzz/run.py TARGET FILE`` tries them again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True
with atheris.instrument_imports(include=["compliance.intake", "zipfile", "csv", "defusedxml"]):
    import compliance.intake.fhir.reading
    import compliance.intake.json_lines
    import compliance.intake.sheets.table  # noqa: F401 - what is fuzzed is loaded here, so that it is instrumented

from tests.fuzz.targets import SEEDS, TARGETS  # noqa: E402 - after what it would import


def main() -> None:
    """Run one target for so long, or on one file."""
    name, how = sys.argv[1:3]
    target = TARGETS[name]
    if Path(how).is_file():
        target(Path(how).read_bytes())
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[name]):
            Path(folder, f"seed-{number}").write_bytes(seed)
        limits = [
            f"-max_total_time={int(how)}",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=16384",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], folder, *limits], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
