# Balie: everything you do with it starts here. `make help` lists the words.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PORT ?= 8000

BIN := .venv/bin
NPM := $(BIN)/python hatch_build.py

# Trust the certificates of the machine, as pip does.
export UV_SYSTEM_CERTS := 1

# The same run every time.
export PYTHONHASHSEED := 0
# Compiling what is imported again at each start costs seconds.
unexport PYTHONDONTWRITEBYTECODE

# A stamp says "done for these inputs"; nothing behind a fresh stamp is done again.
STAMPS := .venv/stamps
UV := $(STAMPS)/uv
RUNS := $(STAMPS)/runs
TESTS := $(STAMPS)/tests
MODULES := web/node_modules/.package-lock.json
APPS := src/balie/static/console/.vite/manifest.json

WEB_SOURCES := $(shell find web -type d -name node_modules -prune -o -type f ! -name '*.test.*' -print)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help types demo free-port bench faults test test-full check check-python check-web check-docs test-web format lock wheel clean \
	browser development autobahn

help: ## Show these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: free-port $(RUNS) $(APPS) ## Install, build and start a shop with Balie in it (PORT=8000)
	$(BIN)/balie demo --port $(PORT)

# Said before anything is installed or built.
free-port:
	@$(PYTHON) -c "import socket; socket.create_connection(('127.0.0.1', $(PORT)), 1)" 2>/dev/null \
	&& echo "Port $(PORT) is taken; choose another, such as make demo PORT=$$(($(PORT) + 1))" >&2 && exit 1 || exit 0

# Every step runs even when an earlier one fails, and the last line names those that did. On a machine that others
# use too, a screen may come too late: the few tests that failed are run once more, alone and in sight.
test: PYTEST_OPTIONS := -m "not long"
test-full: PYTEST_OPTIONS :=
test test-full: development browser
	@failed=; \
	$(MAKE) --no-print-directory --keep-going check-python check-web || failed="$$failed check"; \
	$(MAKE) --no-print-directory test-web || failed="$$failed test-web"; \
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS) || { \
		[ $$? -eq 1 ] && echo "Once more, alone:" && $(BIN)/python -m pytest --last-failed; \
	} || failed="$$failed pytest"; \
	[ $@ = test ] || $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --database postgresql \
		tests/flows tests/contracts tests/conversations tests/contacts tests/agents tests/organisations tests/app \
		|| failed="$$failed postgresql"; \
	[ $@ = test ] || $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --database workers \
		tests/flows tests/http tests/realtime tests/real tests/contracts tests/browser \
		|| failed="$$failed workers"; \
	[ -z "$$failed" ] || { echo "Failed:$$failed" >&2; exit 1; }

test: ## Check and test everything but the long runs; installs what is missing
test-full: ## Test everything, long runs too

development: $(TESTS) $(APPS) ## Install all that a developer needs, start nothing

check: check-python check-web check-docs ## Format, lint, types, layers and documents

check-python: $(TESTS)
	$(BIN)/ruff format --diff --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

check-docs: $(TESTS)
	$(BIN)/python -m pytest --quiet tests/docs

check-web: $(MODULES)
	$(NPM) run --silent check

test-web: $(MODULES) $(APPS)
	$(NPM) run --silent test
	$(NPM) run --silent sizes

format: $(TESTS) $(MODULES) ## Put every file in the house style
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .
	$(NPM) run --silent format

types: $(TESTS) ## Write the web clients' types from the server's frames
	$(BIN)/python tools/wire_types.py

lock: $(TESTS) ## Bring the lock files in line; UPGRADE=1 takes the newest of everything
	PATH="$(CURDIR)/$(BIN):$$PATH" sh tools/lock.sh $(if $(UPGRADE),--upgrade)
	$(NPM) install --package-lock-only --silent
	sh tools/lock.sh --check

bench: $(TESTS) $(APPS) ## Measure speed, memory and size (BENCH="talk --peers FOLDER"; see bench/README.md)
	$(BIN)/python -m bench $(BENCH)

faults: development browser ## Run the fault matrix (FAULTS="disk-full pause --rounds 3"; see docs/reliability.md)
	$(BIN)/python -m tests.faults $(FAULTS)

# The suite runs on Python 2.7 alone; its packages go into a folder of their own.
AUTOBAHN_PYTHON ?= python2.7
SUITE := .venv/autobahn

autobahn: $(SUITE)/.installed ## Let the Autobahn test suite at the socket (AUTOBAHN_PYTHON=python2.7)
	$(BIN)/python -m tests.autobahn --interpreter $(AUTOBAHN_PYTHON) --suite $(SUITE) --reports var/autobahn \
		$(if $(CASES),--cases "$(CASES)")

$(SUITE)/.installed: | $(TESTS)
	$(AUTOBAHN_PYTHON) -m pip install --quiet --disable-pip-version-check --target $(SUITE) \
		autobahntestsuite==25.10.1
	@touch $@

wheel: $(TESTS) $(APPS) ## Build dist/*.tar.gz and dist/*.whl
	$(BIN)/uv build --no-build-isolation --python $(BIN)/python --out-dir dist

clean: ## Remove what was installed and built; keeps your data
	rm -rf .venv dist web/node_modules src/balie/static .mypy_cache .ruff_cache .pytest_cache

# Chromium for the tests that drive a real browser, strace for those that cut the power, PostgreSQL for those of
# more than one worker.
browser: $(TESTS)
	@$(BIN)/python tools/browser.py
	@command -v strace > /dev/null || sh tools/strace.sh
	@$(BIN)/python tools/postgres.py > /dev/null

# uv installs many times faster than pip; pip brings it in, checked against our own lock.
# Where only pip is told of a mirror, pip does the work.
define install
$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
endef

$(UV): requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "Balie needs Python 3.11 or newer, with venv:" >&2; \
		echo "  sudo apt-get install --yes python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@mkdir -p $(STAMPS) && touch $@

$(RUNS): requirements.lock pyproject.toml | $(UV)
	$(call install,requirements.lock)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(TESTS): requirements-dev.lock | $(RUNS)
	$(call install,requirements-dev.lock)
	@touch $@

$(MODULES): web/package.json web/package-lock.json | $(RUNS)
	$(NPM) ci --include=dev --loglevel=error
	@touch $@

$(APPS): $(WEB_SOURCES) hatch_build.py $(MODULES)
	$(NPM) run --silent build
	@touch $@
