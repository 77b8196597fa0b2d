# One command each. Every target that needs an environment makes its own.

PYTHON ?= python3
DEMO := .venv-demo
TEST := .venv-test

.PHONY: demo test lint build clean

demo: $(DEMO)/ready
	$(DEMO)/bin/python examples/real_input.py

test: $(TEST)/ready
	$(TEST)/bin/python -m tests.engines $(PYTEST_ARGS)

lint: $(TEST)/ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/mypy

build: $(TEST)/ready
	$(TEST)/bin/python -m build

# An environment is remade when the project's metadata change, and the package in it when its source does.
SOURCES := $(wildcard kernels/* fastact/*.py fastact/*/*.py) setup.py pyproject.toml

$(DEMO)/ready: $(SOURCES)
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check ".[demo]"
	touch $@

$(TEST)/ready: $(SOURCES)
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/python -m pip install --quiet --disable-pip-version-check ".[test,lint]"
	touch $@

clean:
	rm -rf build dist .venv-* fastact.egg-info
