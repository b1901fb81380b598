# Everything happens in .venv beside this file: make demo, make test. Needs GNU make and Python 3.11 or newer.
#   make PYTHON=python3.12 test     with another Python
#   make TORCH=keep demo            with the torch that is already in .venv (constraints.txt says how it gets there)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
CONSTRAINTS := constraints.txt
# A process for each core, of at most four: many tests start a Ray of their own. A file's tests stay together. A process
# that dies ends the run with the name of its test: its substitute now and then waits for work for ever.
PROCESSES := --numprocesses=auto --maxprocesses=4 --dist=loadfile --max-worker-restart=0
ifeq ($(TORCH),keep)
CONSTRAINTS := $(VENV)/constraints-without-torch.txt
endif

.DELETE_ON_ERROR:
.PHONY: help .venv demo test slow mutants faults fuzz reports witnesses shots docs clean distclean

help:
	@echo "make demo    make a small black-and-white reel and color it"
	@echo "make test    lint, types and tests"
	@echo "make slow    the tests that take longer"
	@echo "make mutants a dozen lines of the product changed: which tests notice? (SEED=7 WINGS='colorizer.color')"
	@echo "make reports inputs rebuilt from public reports, as a table (REPORTS=../shared/media/reports)"
	@echo "make witnesses what other readers list of films and scans, and no output has, as a table (MEDIA=../shared/media)"
	@echo "make faults  the n-th file operation of small jobs fails, for every n; the power is cut: an hour"
	@echo "make fuzz    readers of others' files under a fuzzer that is led by coverage, ten minutes each (SECONDS=60)"
	@echo "make docs    write the pages that are made from the code"
	@echo "make .venv   only the virtual environment, empty"
	@echo "make clean   remove what demo and test leave (distclean: and .venv)"

.venv: $(VENV)/pyvenv.cfg

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here: install Python 3.11 or newer, or say where: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed and $(PYTHON) is $$($(PYTHON) -V 2>&1): make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/constraints-without-torch.txt: constraints.txt $(VENV)/pyvenv.cfg
	@grep -v '^torch==' constraints.txt > $@

# Stamps: a second run installs nothing, a change of either file installs again. `test` holds `demo`.
$(VENV)/installed-demo: pyproject.toml constraints.txt $(CONSTRAINTS) | $(VENV)/pyvenv.cfg
	$(PIP) --constraint $(CONSTRAINTS) --editable '.[demo]'
	@touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt $(CONSTRAINTS) | $(VENV)/pyvenv.cfg
	$(PIP) --constraint $(CONSTRAINTS) --editable '.[test]'
	@touch $@ $(VENV)/installed-demo

demo: $(VENV)/installed-demo
	$(BIN)/chromatheque demo

test: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PROCESSES)

slow: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PROCESSES) -m slow

docs: $(VENV)/installed-test
	$(BIN)/python docs/made.py

mutants: $(VENV)/installed-test
	$(BIN)/python -m tests.mutants $(if $(SEED),--seed $(SEED)) $(foreach wing,$(WINGS),--wing $(wing))

REPORTS ?= ../shared/media/reports
reports: $(VENV)/installed-test
	$(BIN)/python -m tests.public_reports $(REPORTS)

MEDIA ?= ../shared/media
witnesses: $(VENV)/installed-test
	$(BIN)/python -m tests.witnesses $(MEDIA)

shots: $(VENV)/installed-test
	$(BIN)/python -m tests.takes

faults: $(VENV)/installed-test
	$(BIN)/python -m tests.nth_failure
	$(BIN)/python -m tests.power_loss

FUZZED := census matroska xmp manifest plan
SECONDS := 600
fuzz: $(VENV)/installed-test
	$(PIP) --constraint $(CONSTRAINTS) --editable '.[fuzz]'
	for reader in $(FUZZED); do $(BIN)/python -m tests.fuzz $$reader --seconds $(SECONDS) || exit 1; done

clean:
	rm -rf build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find colorizer pipeline workflows tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
