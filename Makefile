# `make help` lists the targets; the text after "##" is what it shows.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help doctor test lint types unit bench refresh api clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

doctor: $(VENV)/.tensorflow ## Set everything up with a CPU TensorFlow, then run `envcheck doctor`
	$(BIN)/envcheck doctor

test: lint types unit ## Set everything up, then run linter, type checker and all tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy --platform linux
	$(BIN)/mypy --platform darwin envcheck
	$(BIN)/mypy --platform win32 envcheck

unit: $(VENV)/.dev ## Run the tests alone; ARGS="-m 'not real'" leaves out those that install TensorFlow
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage report

bench: $(VENV)/.tensorflow $(VENV)/.dev ## Measure the speed claims, as ratios
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python -m benchmarks.api

refresh: $(VENV)/.dev ## Read the package index anew and rewrite what compat_matrix/ knows of releases; ARGS=--check only looks
	$(BIN)/python -m tools.refresh_matrix $(ARGS)

api: $(VENV)/.dev ## Extract the API of every release not looked at yet, and rewrite compat_matrix/api/; ARGS="--ask 1000" asks each again
	$(BIN)/python -m tools.build_api_history $(ARGS)

clean: ## Remove the virtual environment and what tools left behind
	rm -rf $(VENV) build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "envcheck needs Python 3.10 or newer, and $(PYTHON) is older: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
	  { echo "$(PYTHON) has no ensurepip: install it (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.tensorflow: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[tensorflow]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
