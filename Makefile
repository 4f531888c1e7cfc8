PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all search lint docs notebooks dist types wheel audit clean

demo: .venv/package  ## train on N(4, 1.25) and report how close it came
	$(BIN)/equipoise demo

test: .venv/dev lint  ## lint, types and every test that is not slow
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

test-all: .venv/dev lint  ## the slow tests as well: kills, disk faults, browser, other processors
	$(BIN)/pytest -n 2 --dist worksteal

search: .venv/dev  ## the property tests on thousands of new inputs, some minutes
	$(BIN)/pytest -n 2 -m hypothesis --hypothesis-profile=search

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/docs  ## the site, with the API reference, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

notebooks: .venv/docs  ## the notebooks, in build/notebooks/, to open in Jupyter
	$(BIN)/python scripts/notebook_pages.py build/notebooks

dist: .venv/release  ## the sdist and the wheel of a release, built twice to see that the bytes are equal
	rm -rf dist build/again
	$(BIN)/python scripts/build_dist.py dist
	$(BIN)/python scripts/build_dist.py build/again
	diff -r dist build/again
	$(BIN)/twine check --strict dist/*

types: .venv/dev  ## how much of what is public has a type, by pyright: at least 99%
	$(BIN)/python scripts/type_completeness.py

wheel: .venv/package  ## build the wheel, install it in an empty environment, train from there
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet --constraint constraints.txt build/wheel/*.whl
	cd build/wheel && venv/bin/equipoise demo --out run && venv/bin/equipoise sample run -n 10 --out samples.npy

audit: .venv/dev  ## known vulnerabilities of the pinned dependencies; asks the advisory databases
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean:
	rm -rf .venv build dist site src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/package: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "equipoise needs Python 3.11 or newer; say which: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[tables]'
	touch $@

.venv/dev: .venv/package
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv/docs: .venv/package
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

.venv/release: .venv/package
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[release]'
	touch $@
