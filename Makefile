# Every target sets up what it needs in .venv: no root, nothing global, and again only when
# pyproject.toml or constraints.txt has changed. PYTHON=/path/to/python chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin

# The first of these that is Python 3.10 to 3.13 and can make virtual environments.
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.10 python
PROBE := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in $(CANDIDATES); do \
	$$name -c '$(PROBE)' 2>/dev/null && { echo $$name; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help demo test torture check bench conformance docs clean
# a set-up that was interrupted is begun again
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{ printf "  %-18s %s\n", $$1, $$2 }'

demo: $(VENV)/.demo ## train a network on real handwritten digits (about a minute)
	@$(BIN)/refluid train

test: $(VENV)/.dev ## run the tests; ARGS="-k name" and the like go to pytest
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder $(ARGS)

torture: $(VENV)/.dev ## kill training hundreds of times and compare the bits (an hour)
	@$(BIN)/python tests/resume/torture.py $(ARGS)

check: $(VENV)/.dev ## lint, format, types, spelling
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@$(BIN)/codespell $$(git ls-files 2>/dev/null || echo src tests)

bench: $(VENV)/.dev ## measure the speed beside plain PyTorch, and Paddle where it is installed
	@$(BIN)/python benchmarks/training_step.py $(ARGS)
	@$(BIN)/python benchmarks/operators.py

conformance: $(VENV)/.dev ## compare with a real Paddle 1.8.5 (needs Python 3.7)
	@$(BIN)/python tests/conformance/paddle18.py $(ARGS)

docs: $(VENV)/.dev ## write docs/coverage.md anew
	@$(BIN)/python -m refluid.hook.coverage docs/coverage.md

clean: ## remove .venv and what the tools left behind
	@rm -rf $(VENV) .pytest_cache .ruff_cache dist

# pip's own words go to a log; the screen shows one line for each download.
comma := ,

define install
@{ $(BIN)/python -m pip install --progress-bar off -c constraints.txt $(1) 2>&1; \
	echo "pip's exit status: $$?"; } | tee $(VENV)/pip.log \
	| sed -n -e 's/^ *Downloading \([^ ]*\/\)*\(.*\)/  \2/p' -e 's/^Installing collected.*/  installing/p'
@grep -q "^pip's exit status: 0" $(VENV)/pip.log || { \
	tail -n 8 $(VENV)/pip.log >&2; \
	echo "The set-up failed. The whole of what pip said is in $(VENV)/pip.log" >&2; exit 1; }
endef

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "No Python 3.10 to 3.13 that can make virtual environments was \
	found. Install one (on Debian and Ubuntu: apt install python3 python3-venv), or say where it \
	is: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (the first time, PyTorch is downloaded)"
	@$(PYTHON) -m venv --clear $(VENV)
	$(call install,hatchling editables)
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(call install,--no-build-isolation -e ".[digits$(comma)plot]")
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(call install,--no-build-isolation -e ".[dev]")
	@touch $(VENV)/.demo $@
