# All a contributor needs to type: run, test, lint, bench. Everything is set up on first use in
# a virtual environment of the project's own (.venv).

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find src core -name '*.py' -o -name '*.pyi' -o -name '*.[ch]pp' \
             -o -path '*/assets/*') \
           CMakeLists.txt pyproject.toml README.md

.PHONY: run test lint format sanitize clang pictures bench bench-quick clean

run: .stamps/package  ## cluster the bundled flowers and show what came out
	@mkdir -p out
	$(BIN)/truemeans fit examples/data/iris.csv -k 3 --n-init 10 --force \
	  --output out/iris.labelled.csv --model out/iris.truemeans

# Fails below 95 % of the Python lines, too.
test: .stamps/test .stamps/npm  ## run all tests; those of pages need Chromium and npm
	$(BIN)/python -m pytest --cov --cov-report=term

lint: .stamps/lint  ## style, types, and compiler warnings as errors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cmake -S . -B build/lint -DTRUEMEANS_WERROR=ON -DCMAKE_BUILD_TYPE=Release \
	  -DPython_EXECUTABLE=$(abspath $(BIN))/python \
	  -Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir) > /dev/null
	$(BIN)/cmake --build build/lint --parallel

format: .stamps/lint  ## put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: .stamps/test  ## draw the pictures of the docs again (needs Chromium)
	$(BIN)/python docs/pictures/make.py
	$(BIN)/python docs/pictures/local_optima.py

sanitize: native-address native-thread  ## kernel tests under GCC's sanitizers: two builds

clang: native-clang  ## kernel tests on a build by Clang: no warnings, the same bits

# A build of its own kind in build/NAME, and the tests that reach all native code run on it.
NATIVE_TESTS := $(patsubst %,tests/test_%.py,engines_agree bounds sums seeding bindings)
native-address: OPTIONS := -DTRUEMEANS_SANITIZE=address,undefined
native-address: ENVIRONMENT := LD_PRELOAD="$$(gcc -print-file-name=libasan.so) \
  $$(gcc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
native-thread: OPTIONS := -DTRUEMEANS_SANITIZE=thread
native-thread: ENVIRONMENT := LD_PRELOAD="$$(gcc -print-file-name=libtsan.so)" \
  TSAN_OPTIONS=halt_on_error=1:die_after_fork=0
# Without tests that measure seconds, everything being slow here, and without fork, which it cannot follow.
native-thread: NATIVE_TESTS += tests/test_alive.py -k "not ctrl_c and not interrupted and not fork"
native-clang: OPTIONS := -DCMAKE_CXX_COMPILER=clang++ -DTRUEMEANS_WERROR=ON
native-%: .stamps/lint
	$(BIN)/cmake -S . -B build/$* $(OPTIONS) -DPython_EXECUTABLE=$(abspath $(BIN))/python \
	  -Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir) > /dev/null
	+$(BIN)/cmake --build build/$* > build/$*/build.log || (cat build/$*/build.log; exit 1)
	rm -rf build/$*/site && mkdir build/$*/site && cp -r src/truemeans build/$*/site
	rm -f build/$*/site/truemeans/_core*.so
	$(BIN)/cmake --install build/$* --prefix build/$*/site > /dev/null
	$(ENVIRONMENT) PYTHONPATH=build/$*/site $(BIN)/python -m pytest -q --capture=sys -p no:cacheprovider $(NATIVE_TESTS)

bench: .stamps/bench  ## every workload, peer and shape: about an hour on a quiet machine
	$(BIN)/python -m benchmarks run --json out/bench.json --markdown
	$(BIN)/python -m benchmarks sweep --json out/sweep.json
	$(BIN)/python -m benchmarks line --json out/line.json
	$(BIN)/python -m benchmarks seeding --json out/seeding.json
	$(BIN)/python -m benchmarks starts
	$(BIN)/python -m benchmarks growth
	$(BIN)/python -m benchmarks memory

bench-quick: .stamps/bench  ## the main workloads with fewer rows, in three minutes
	$(BIN)/python -m benchmarks run --quick --json out/bench-quick.json

clean:  ## remove everything that was built
	rm -rf .venv .stamps build out tests/node_modules

$(BIN)/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.stamps/package: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet .
	@mkdir -p $(@D) && touch $@

.stamps/test: .stamps/package
	$(BIN)/python -m pip install --quiet '.[test]'
	@mkdir -p $(@D) && touch $@

# What the browser tests take from npm; without npm they are skipped, and say so.
.stamps/npm: tests/package.json tests/package-lock.json
	@if command -v npm > /dev/null; then cd tests && npm ci --silent --no-audit --no-fund; \
	 else echo "no npm: the accessibility checks will be skipped"; fi
	@mkdir -p $(@D) && touch $@

.stamps/lint: .stamps/package
	$(BIN)/python -m pip install --quiet '.[lint,test]'
	@mkdir -p $(@D) && touch $@

.stamps/bench: .stamps/package
	$(BIN)/python -m pip install --quiet '.[bench]'
	@mkdir -p $(@D) && touch $@
