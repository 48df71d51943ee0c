# Siegelpost: one command each. Every target sets up what it needs, once.
#
#   make demo           start everything in build/demo and leave it running (ONCE=1: play it through; PORT=8081)
#   make test           all tests: unit, SQLite, PostgreSQL, Postfix, Chromium   (ARGS="-k name" for a part, SLOW=1 for more)
#   make check          format, lint, types, import rules, migrations, locks
#   make bench          measure dispatch and alerts beside the machine's floor   (QUICK=1: a short look)
#   make verifier       the verifier as one file that a court can keep

SHELL := /bin/bash
PYTHON ?= $(shell config/setup/find-python)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps

# Without bytecode, every process of a test would compile the program anew.
# In the order of their names: the many short files of tests/unit come last and even out the ends.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest --dist loadfile \
	--no-loadscope-reorder $(if $(SLOW),-m "slow or not slow")

.PHONY: demo test check bench verifier format lock clean

demo: $(STAMPS)/service
	$(BIN)/siegelpost demo build/demo$(if $(ONCE),-once --once) $(if $(PORT),--port $(PORT))

# Most of the time goes into these; see `test`.
LONG := tests/integration/service tests/integration/portal tests/integration/bounces

test: $(STAMPS)/dev $(STAMPS)/system $(STAMPS)/node
	@# Two lanes of about the same length, as all tests wait a lot. Browser tests run apart, as their
	@# driver keeps an event loop that other tests cannot share. What the long ones say comes last.
	@# Exit code 5 is "no test chosen", which is all right where ARGS choose some.
	@mkdir -p build; passed() { [ $$1 = 0 ] || [ $$1 = $(if $(ARGS),5,0) ]; }; \
	$(PYTEST) -n 2 $(LONG) $(ARGS) >build/test-long.log 2>&1 & \
	long=$$!; trap 'kill $$long 2>/dev/null' EXIT; \
	$(if $(SLOW),SIEGELPOST_SCREENSHOTS=1) $(PYTEST) -n 2 tests/browser $(ARGS); browser=$$?; \
	$(PYTEST) -n 2 $(patsubst %,--ignore %,$(LONG) tests/browser) tests $(ARGS); rest=$$?; \
	wait $$long; long=$$?; trap - EXIT; cat build/test-long.log; \
	passed $$long && passed $$browser && passed $$rest

check: $(STAMPS)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy crypto/siegelpost mailbox/siegelpost notifier/siegelpost tests
	$(BIN)/lint-imports --config pyproject.toml
	$(BIN)/python -m tests.support.migrations_in_step
	$(BIN)/python config/setup/check_locks.py

bench: $(STAMPS)/dev $(STAMPS)/system
	$(BIN)/python -m tests.load $(if $(QUICK),--quick)

verifier: $(STAMPS)/service
	@mkdir -p build
	$(BIN)/siegelpost verifier build/siegelpost-verify.pyz

format: $(STAMPS)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Locks hold hashes and no address, so that every site uses its own index.
lock: $(STAMPS)/dev
	$(BIN)/pip install --quiet uv
	config/setup/lock $(BIN)/uv

clean:
	rm -rf $(VENV) $(STAMPS) build

$(STAMPS)/venv:
	@mkdir -p $(STAMPS)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(STAMPS)/service: $(STAMPS)/venv config/locks/service.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r config/locks/service.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/service config/locks/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r config/locks/dev.txt
	@touch $@

$(STAMPS)/system: config/setup/system-packages
	@mkdir -p $(STAMPS)
	config/setup/system-packages
	@touch $@

$(STAMPS)/node: tests/support/node/package-lock.json config/vendor/package-lock.json $(STAMPS)/system
	npm ci --silent --no-audit --no-fund --prefix tests/support/node
	npm ci --silent --no-audit --no-fund --prefix config/vendor
	@touch $@
