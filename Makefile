PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test search lint audit clean

demo: .venv/package  ## train on N(4, 1.25) and say how close it came
	$(BIN)/equipoise train gaussian

test: .venv/dev lint  ## every test, after lint and types
	$(BIN)/pytest -n 2 --dist worksteal

search: .venv/dev  ## the tests of made-up inputs on thousands of new ones, some minutes
	$(BIN)/pytest -n 2 -m hypothesis --hypothesis-profile=search

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: .venv/dev  ## known vulnerabilities of the pinned dependencies; asks the advisory databases
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean:
	rm -rf .venv build src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/package: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "equipoise needs Python 3.11 or newer; say which: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/dev: .venv/package
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
