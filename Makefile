# Every target does all set-up by itself; it needs Python 3.11 or newer, make and the internet.
#   make demo          the whole way on this machine, with a page to try it; Ctrl-C ends it
#   make demo ONCE=1   the same with sample portraits only; writes demo/replies.json
#   make test          lint, types, import rules, tests with coverage; TESTS="tests/bot -k page" for some
#   make bench         all benchmarks, on a machine with nothing else to do; some take minutes
#   make bench QUICK=1 the same with tiny sizes; ONLY="network pipeline" for some
#   make lint, types, imports, format

PYTHON ?= python3
UV_VERSION := 0.13.9
TESTS ?=
ONLY ?= network pipeline crop latency throughput memory
BIN := .venv/bin

export UV_PYTHON_DOWNLOADS := never
export UV_HTTP_TIMEOUT := 300
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint types imports format clean

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

setup: .venv/.synced

demo: .venv/.synced
	@$(BIN)/selfai demo $(if $(filter-out 0 no,$(ONCE)),--once)

test: lint types imports
	$(BIN)/pytest --cov --cov-report=term $(TESTS)

# One thread a process: the benchmarks start as many processes as they mean to.
bench: .venv/.synced
	@set -e; for name in $(ONLY); do echo "benchmarks.$$name"; \
		OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.$$name $(if $(filter-out 0 no,$(QUICK)),--quick); done

lint: .venv/.synced
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.synced
	$(BIN)/mypy

imports: .venv/.synced
	$(BIN)/lint-imports

format: .venv/.synced
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .tools

# uv lives in an environment of its own: nothing outside this folder changes, save uv's cache
# of downloads (in this folder, too, where there is no home folder to write to).
.venv/.synced: pyproject.toml uv.lock .tools/uv-$(UV_VERSION)
	@test -w "$${HOME:-/nowhere}" || export UV_CACHE_DIR="$(CURDIR)/.tools/cache"; \
	.tools/venv/bin/uv sync --frozen --python .tools/venv/bin/python
	@touch $@

.tools/uv-$(UV_VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Selfai needs Python 3.11 or newer, and '$(PYTHON)' is not:" \
		     "name another with 'make PYTHON=python3.11 ...'." >&2; exit 1; }
	@rm -rf .tools && mkdir .tools
	@$(PYTHON) -m venv .tools/venv || { \
		echo "'$(PYTHON) -m venv' does not work here. On Debian: apt-get install python3-venv" >&2; \
		rm -rf .tools; exit 1; }
	@PIP_USER=0 .tools/venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
