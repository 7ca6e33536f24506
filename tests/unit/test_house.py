"""The house itself: lock files, Makefile, packages, the wheel."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
SOURCES = ("compliance", "cli", "policies", "migrations")
WHEEL_PLACE = {
    "compliance": "compliance",
    "cli": "compliance/cli",
    "policies": "compliance/policies",
    "migrations": "compliance/migrations",
}


def lock_problems(text: str) -> list[str]:
    """What is wrong with a lock file: an address, an option that names an index, a requirement without pin or hash."""
    problems = []
    requirements: list[str] = []
    for line in text.splitlines():
        if "://" in line or re.search(r"\w\.(org|com|net|io)\b", line):
            problems.append(f"names an address: {line.strip()}")
        if re.match(r"\s*(-i\b|-f\b|--(extra-)?index|--find-links|--trusted-host)", line):
            problems.append(f"says where packages come from: {line.strip()}")
        if re.match(r"[A-Za-z0-9]", line):
            requirements.append(line)
        elif requirements and line.lstrip().startswith("--hash="):
            requirements[-1] += line
    for requirement in requirements:
        name = re.split(r"[=\s;]", requirement)[0]
        if not re.match(r"[A-Za-z0-9._-]+==[^ *]+ ", requirement):
            problems.append(f"{name} is not pinned")
        if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement):
            problems.append(f"{name} has no hash")
    if not requirements:
        problems.append("holds no requirement")
    return problems


def pins(name: str) -> dict[str, str]:
    """Package to version of one lock file."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ]+) ", text, re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_files_pin_and_hash_everything_and_name_no_address(lock):
    """A lock file says what is installed, by hash, and never where from."""
    assert lock_problems(lock.read_text()) == []


GOOD = "click==8.5.1 \\\n    --hash=sha256:" + "a" * 64 + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https" + "://packages.example/simple\n" + GOOD,
        "--extra-index-url x\n" + GOOD,
        "--find-links wheels\n" + GOOD,
        GOOD.replace("==8.5.1", ">=8.5.1"),
        "click==8.5.1 \\\n",
        GOOD + "rich==15.0.0 \\\n",
        "# from packages.example.org\n" + GOOD,
        "",
    ],
)
def test_the_lock_check_finds_each_mistake(text):
    """Each broken lock file is refused, so that the check above means something."""
    assert lock_problems(GOOD) == []
    assert lock_problems(text) != []


def test_development_runs_on_what_people_run_on():
    """Every package of the runtime lock stands in the development lock with the same version."""
    runtime, development = pins("runtime.txt"), pins("dev.txt")
    assert runtime
    assert {name: development.get(name) for name in runtime} == runtime


def test_the_lock_holds_every_declared_dependency():
    """A dependency that is added to pyproject.toml and not locked is found here, not in a clean checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[<>=~! \[]", line)[0]).lower() for line in declared}
    assert names <= pins("dev.txt").keys()


def test_makefile_has_the_targets_people_are_told_about():
    """`make demo`, `make test`, `make bench` and their kin exist."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "bench", "soak", "lock", "format", "help", "clean"} <= targets


def test_no_module_is_longer_than_one_thing():
    """Past 400 lines a module is two things."""
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("compliance", "cli")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_the_command_line_imports_itself_relatively():
    """In the wheel `cli` is `compliance.cli`: an absolute `import cli` would work here and fail there."""
    absolute = []
    for path in [*(ROOT / "cli").rglob("*.py"), *(ROOT / "compliance").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            absolute += [f"{path.name}:{node.lineno}" for name in names if name.split(".")[0] == "cli"]
    assert absolute == []


def test_every_package_is_listed_for_the_wheel():
    """pyproject.toml lists exactly the packages that are there."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {"compliance.policies", "compliance.migrations"}
    for top, prefix in (("compliance", "compliance"), ("cli", "compliance.cli")):
        for init in (ROOT / top).rglob("__init__.py"):
            found.add(".".join([prefix, *init.parent.relative_to(ROOT / top).parts]))
    assert sorted(listed) == sorted(found)


def test_nothing_stands_beside_compliance_in_the_wheel_and_nothing_is_missing(tmp_path):
    """A built wheel holds every source and data file, all of them below `compliance`, and works where it is unpacked."""
    copy = tmp_path / "source"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(copy)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr

    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    assert sorted(path.name for path in site.iterdir() if not path.name.endswith(".dist-info")) == [
        "compliance"
    ]

    expected = {
        f"{WHEEL_PLACE[folder]}/{path.relative_to(ROOT / folder)}"
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert expected - {str(path.relative_to(site)) for path in site.rglob("*")} == set()

    answer = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = [{str(site)!r}]\nfrom compliance.cli.main import main; main()", "--help"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert "Usage:" in answer.stdout
