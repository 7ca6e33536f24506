# What people type. `make` alone lists it. Nothing here needs more than sh, a C compiler and Python 3.11 or newer;
# PYTHON=/path/to/python chooses one, otherwise the newest that is found is used.

.DEFAULT_GOAL := help
.PHONY: help demo test bench policies-book soak lock format clean venv-runtime venv-dev

# A stray environment must not decide what is tested: not another environment's modules, not another database.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV COMPLIANCE_DATABASE COMPLIANCE_ACTOR COMPLIANCE_VAULT_KEY
export PYTHON

PY := .venv/bin/python

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' Makefile

demo: venv-runtime ## a clinic fortnight in ./demo: verdicts as they come, what is open, a verified log, a proof
	@if [ -e demo ] && [ ! -e demo/.made-by-make ]; then \
		echo "make demo: ./demo exists and was not made by this command; move it away first" >&2; exit 2; fi
	@rm -rf demo && mkdir demo && : > demo/.made-by-make && cd demo && ../.venv/bin/compliance demo

# Every check runs, whatever an earlier one says, and pytest comes last so that its summary is the last line.
test: venv-dev ## style, types, import direction, all tests
	@failed=; \
	$(PY) -m ruff check --quiet || failed="$$failed ruff-check"; \
	$(PY) -m ruff format --quiet --check || failed="$$failed ruff-format"; \
	$(PY) -m mypy --strict --no-error-summary || failed="$$failed mypy"; \
	.venv/bin/lint-imports --no-logo > .venv/lint-imports.out 2>&1 || { cat .venv/lint-imports.out; failed="$$failed import-direction"; }; \
	if [ -n "$$failed" ]; then echo "make test: not clean:$$failed (the exit status will say so)"; fi; \
	$(PY) -m pytest -n 2 -p no:benchmark && [ -z "$$failed" ]

bench: venv-dev ## the figures of docs/: decisions, appends and proofs per second
	@for file in tests/benchmarks/bench_*.py; do echo "$$file"; PYTHONPATH=. $(PY) "$$file" || exit 1; done

policies-book: venv-dev ## docs/policies.md, made anew from the files in policies/
	@.venv/bin/compliance policy show --all > docs/policies.md.new && mv docs/policies.md.new docs/policies.md

soak: venv-dev ## the long random runs
	@HYPOTHESIS_PROFILE=soak $(PY) -m pytest -m soak -p no:benchmark

# One resolution for all platforms and Python versions. No index address goes into the files: pip's own configuration says
# where packages come from, and the hashes say what they are.
LOCK := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade
lock: venv-runtime ## new versions into requirements/*.txt, each with its hashes
	@$(PY) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/lock.txt
	@$(LOCK) requirements/lock.in -o requirements/lock.txt > /dev/null
	@$(LOCK) requirements/build.in -o requirements/build.txt > /dev/null
	@$(LOCK) pyproject.toml -o requirements/runtime.txt > /dev/null
	@$(LOCK) pyproject.toml --extra dev --constraint requirements/runtime.txt -o requirements/dev.txt > /dev/null
	@rm -rf .venv-lock

format: venv-dev ## one layout for all Python files
	@$(PY) -m ruff format --quiet && $(PY) -m ruff check --quiet --fix

clean: ## remove what make made
	@rm -rf .venv .venv-lock .venv.lock build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	@if [ -e demo/.made-by-make ]; then rm -rf demo; fi

venv-runtime:
	@requirements/install runtime

venv-dev:
	@requirements/install dev
