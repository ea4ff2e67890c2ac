# Two commands are all the set-up: `make demo` and `make test`. They need Python 3.11+ and the package index.
PYTHON ?= python3
TIMES ?= 10
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CORE := tests/vocabulary tests/rules tests/plan tests/plans tests/reading tests/rating tests/registers tests/experience \
  tests/ratemaking tests/study tests/fund tests/whatif tests/cli

unexport PYTHONDONTWRITEBYTECODE  # tests start many a process, and each would compile everything anew

.PHONY: demo test test-lowest mutants fuzz bench docs notebooks lint clean lock wheel

demo: $(STAMP)
	$(BIN)/ratemod demo --out demo-out

test: export OPENBLAS_NUM_THREADS = 1  # two workers on two cores: more threads only wait for each other
test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder  # the longest files first: tests/conftest.py

test-lowest:  # the core with the lowest versions that pyproject.toml claims; `make test-lowest PYTHON=python3.11`
	test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	$(PYTHON) tools/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -r .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pytest $(CORE)

mutants: $(STAMP)  # docs/mutants.md anew; `make mutants ARGS="--packages money rating --each 40"`
	$(BIN)/python tools/mutants.py $(ARGS)

fuzz: $(STAMP)  # properties on examples that the suite does not draw, again and again; `make fuzz TIMES=100`
	for time in $$(seq $(TIMES)); do \
	  HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q -n 2 -m hypothesis || exit 1; \
	done

bench: $(STAMP)  # the whole table; `make bench ARGS=--quick` takes a few minutes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP)
	$(BIN)/python tools/make_reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html"

notebooks: $(STAMP)  # run them from top to bottom and store their outputs
	$(BIN)/python tools/run_notebooks.py

lint: $(STAMP)
	$(BIN)/ruff check --fix .

wheel: $(STAMP)
	$(BIN)/python -m build --wheel

$(STAMP): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

lock:  # after a change of dependencies: resolve anew and pin
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet -e ".[dev]"
	.venv-lock/bin/python -m pip freeze --exclude-editable > requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf build dist site demo-out bench-out .venv-lowest .pytest_cache .mypy_cache .ruff_cache .hypothesis
