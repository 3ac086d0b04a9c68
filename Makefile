# The one entry point: `make` alone lists what there is. CI calls the same targets.

# The first Python 3.11 on the path, or the one you name: make run PYTHON=/opt/python3.11/bin/python3
PYTHON = $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && exit; \
	done; command -v python3 || command -v python)
# An index that has PyTorch's CPU build, which is much smaller than the one with CUDA:
# make run TORCH_INDEX=<its address>
TORCH_INDEX ?=
export TORCH_INDEX

BIN = .venv/bin
OURS = csplatform chat training intents knowledge
SETUP = $(or $(PYTHON),$(error Python 3.11 is needed and no Python was found / 需要 Python 3.11，但未找到任何 Python)) tools/setup.py

.DEFAULT_GOAL := help
.PHONY: help setup run test faults lint fix types layers bench

help:  ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.installed-dev  ## install everything for running, testing and linting into .venv

run: .venv/.installed-run  ## start the whole platform and print its addresses; Ctrl-C stops it
	@$(BIN)/python manage.py run

test: .venv/.installed-dev  ## run all tests except those marked gpu or long
	@$(BIN)/python tools/setup.py browser
	@mkdir -p .pytest_cache; $(MAKE) --no-print-directory --keep-going --jobs=2 test-js test-whole test-rest; \
	status=$$?; echo; echo "$(WHOLE):"; cat $(WHOLE_LOG); exit $$status

# Tests of the whole product, most of them in Chromium, take as long as all others. They are a pytest of
# their own beside these, which shares nothing with them; what it says is shown at the end, and can be
# followed in its file.
WHOLE = tests/browser tests/platform
WHOLE_LOG = .pytest_cache/whole.txt
.PHONY: test-js test-whole test-rest
test-js:
	@if command -v node >/dev/null; then node --test tests/js/*.mjs; \
	else echo "SKIPPED tests/js: node is not installed"; fi
test-whole:
	@$(BIN)/python -m pytest -o cache_dir=.pytest_cache/whole $(WHOLE) >$(WHOLE_LOG) 2>&1
test-rest:
	@$(BIN)/python -m pytest $(WHOLE:%=--ignore=%)

faults: .venv/.installed-dev  ## kill, cut and freeze everything at random while people write (some minutes)
	@$(BIN)/python tools/setup.py browser
	$(BIN)/python -m tests.faults $(FAULTS)
	$(BIN)/python -m tests.faults --broken keys --messages 400 --clients 40 --browsers 0 --database sqlite
	$(BIN)/python -m tests.faults --broken acknowledgement --messages 400 --clients 40 --browsers 0 --database sqlite

lint: .venv/.installed-dev  ## check format, style, types, layers, migrations and settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory types layers
	@VAR_DIR=$$(mktemp -d) && export VAR_DIR && trap 'rm -rf "$$VAR_DIR"' EXIT && set -x && \
		$(BIN)/python manage.py makemigrations --check --dry-run && \
		$(BIN)/python manage.py check

fix: .venv/.installed-dev  ## repair what the formatter and the linter can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/.installed-dev  ## check types
	@VAR_DIR=$$(mktemp -d) && export VAR_DIR && trap 'rm -rf "$$VAR_DIR"' EXIT && set -x && \
		$(BIN)/mypy $(OURS)

layers: .venv/.installed-dev  ## check who imports whom
	$(BIN)/lint-imports

bench: .venv/.installed-dev  ## measure accuracy, latency and start-up (some minutes)
	$(BIN)/python -m benchmarks

.venv/.installed-run: requirements.txt
	@$(SETUP) run

.venv/.installed-dev: requirements.txt requirements-dev.txt
	@$(SETUP) dev
