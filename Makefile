# The commands of Deskwire. They need Python 3.11 or newer, and neither Docker, Node nor root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := shared $(patsubst %/,%,$(dir $(wildcard services/*/pyproject.toml)))

.DEFAULT_GOAL := help
.PHONY: help up test check fix bench docs clean
.DELETE_ON_ERROR:

help:
	@echo "Deskwire's commands:"
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 14

up: $(VENV)/.runtime  ## Start the whole desk on this machine
	@exec $(BIN)/deskwire up

test: $(VENV)/.dev  ## Run every test
	@$(BIN)/python tests/browser.py
	$(BIN)/pytest -n 2 tests/unit tests/contract tests/integration
	$(BIN)/pytest tests/e2e

check: $(VENV)/.dev  ## Judge format, style, types, borders and dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy shared services tests
	$(BIN)/lint-imports
	@for member in $(MEMBERS); do (cd $$member && $(abspath $(BIN))/deptry .) || failed=1; done; exit $$failed

fix: $(VENV)/.dev  ## Mend format and style as far as a machine can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## Measure, beside the references, in one run
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(ONLY)

docs: $(VENV)/.runtime  ## Write the reference of facts, settings and commands
	$(BIN)/python -m deskwire_shared.runtime.reference docs/reference

clean:  ## Remove the environment and what tools left; never the data
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache tests/.artifacts
	find $(MEMBERS) tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.runtime: requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml) $(wildcard services/*/package*.json) | $(BIN)/python
	$(call install,requirements.lock)

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(call install,requirements-dev.lock)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Deskwire needs Python 3.11 or newer; this is %s. Name another: make up PYTHON=python3.13" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# uv is fast, pip is everywhere; both install the same hashes.
pip = $(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python $(1) || $(BIN)/python -m pip install --quiet --disable-pip-version-check $(1)

define install
	@echo "Installing $(1) into $(VENV) ..."
	@sed -n '/^uv==/,/[^\\]$$/p' $(1) > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.lock
	@$(call pip,--require-hashes --requirement $(1))
	@$(call pip,--no-deps --no-build-isolation $(MEMBERS:%=--editable ./%) --editable .)
	@touch $@
endef
