# `make` alone lists what there is. Each target sets up .venv by itself, once, and again when pyproject.toml changes.
PYTHON ?= python3
VENV ?= .venv
SOURCE ?= sample
ARGS ?=
WORKERS ?= 2

BIN := $(VENV)/bin
# By file, since what a file prepares is shared by its tests.
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
VERSIONS := Python 3.11 to 3.13 is needed. Name one with: make $(MAKECMDGOALS) PYTHON=python3.12

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint ui benchmarks wheel clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## Weather from data to a proven export and a report (SOURCE=sample, ARGS="--set …")
	$(BIN)/seqlayers run weather --source "$(SOURCE)" $(ARGS)

test: $(VENV)/.installed-dev ## The fast tests (ARGS="-k name")
	$(PYTEST) -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-dev ## Every test, the slow proofs too
	$(PYTEST) $(ARGS)

lint: $(VENV)/.installed-dev ## Ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

ui: $(VENV)/.installed ## MLflow's pages on the runs made here
	$(BIN)/seqlayers ui $(ARGS)

benchmarks: $(VENV)/.installed-dev ## Every benchmark, quickly (ARGS= for the whole of each)
benchmarks: ARGS = --quick
benchmarks:
	@set -e; for path in tests/benchmarks/[a-z]*; do \
	  name=$$(basename $$path .py); echo "== $$name"; $(BIN)/python -m tests.benchmarks.$$name $(ARGS); done

wheel: $(VENV)/.installed ## A wheel in dist/
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean: ## Remove what builds and tools leave; .venv, runs/ and mlflow.db stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find seqlayers data pipelines tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/pip:
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON). $(VERSIONS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "$(PYTHON) is $$($(PYTHON) --version). $(VERSIONS)" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV) with $$($(PYTHON) --version)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/pip
	@echo "Installing seqlayers and what it needs into $(VENV): about two minutes the first time"
	$(BIN)/python -m pip install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/pip
	@echo "Installing seqlayers and what its tests need into $(VENV): about two minutes the first time"
	$(BIN)/python -m pip install --editable ".[dev]"
	@touch $(VENV)/.installed $@
