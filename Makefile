# The front door: every verb sets up what it needs, so a fresh machine needs only make and Python 3.11 or newer.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready
JOBS   ?= 2

.PHONY: demo test check bench docs site soak clean

demo: $(READY)            ## the main job: the bundled network on rendered objects, ends in a report
	$(BIN)/stratoscope demo --overwrite

test: $(READY)            ## the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

check: $(READY)           ## lint, types, import directions, generated docs that must be fresh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

bench: $(READY)           ## ratios to the physical limits, measured in one run
	$(BIN)/python -m benchmarks

soak: $(READY)            ## the long versions of the tests of faults: hours
	STRATOSCOPE_SOAK=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/soak -n $(JOBS) -s

docs: $(READY)            ## write the generated pages anew
	$(BIN)/python docs/generate.py

site: $(READY)            ## the documentation as a site in build/site, its tutorials run; any warning ends it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
