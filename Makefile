# Everything a person types. `make demo` and `make test` need nothing installed but Python 3.11 to 3.13.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo code run test check bench storm messages setup setup-dev stop clean

python := .venv/bin/python
WORKERS ?= 2
ARGS ?=

export PORT ONCE
export PYTHONUNBUFFERED := 1

help:
	@echo 'make demo      start everything, run the whole main job, keep serving (PORT=8000, ONCE=1 to exit after it)'
	@echo 'make code      the one-time code with which the demonstration'\''s platform people sign in'
	@echo 'make run       start everything and keep serving, without the job'
	@echo 'make test      the whole test suite (ARGS="tests/unit -k money" to choose)'
	@echo 'make check     format, lint, types, import rules, migrations, translations'
	@echo 'make bench     the benchmarks, as JSON'
	@echo 'make storm     the fault test: processes killed at random, a supplier that lies (SEED=1, ARGS=1000 orders)'
	@echo '               FUZZ=300 instead: damaged rosters for 300 seconds, each must get an answer'
	@echo 'make messages  the sentences that have no Chinese translation'
	@echo 'make stop      stop the embedded database and broker'
	@echo 'make clean     stop them and remove .venv/ and var/'

setup:
	@config/setup.sh runtime

setup-dev:
	@config/setup.sh dev

demo: setup
	@exec $(python) -m config.demo

code: setup
	@exec $(python) -m config.demo code

run: setup
	@exec $(python) -m config.processes

test: setup-dev
	@exec $(python) -m pytest -n $(WORKERS) --dist=worksteal $(ARGS)

checks := check-types check-format check-lint check-imports check-templates check-migrations check-messages
.PHONY: $(checks)

# Two at a time, and all of them even where one fails.
check: setup-dev
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync $(checks)
	@echo 'check: all good'

check-types:
	@.venv/bin/mypy
check-format:
	@.venv/bin/ruff format --check --quiet . || { echo 'run: .venv/bin/ruff format .'; exit 1; }
check-lint:
	@.venv/bin/ruff check --quiet .
check-imports:
	@.venv/bin/lint-imports
check-templates:
	@.venv/bin/djlint templates --lint --quiet
check-migrations:
	@$(python) manage.py makemigrations --check --dry-run
check-messages:
	@$(python) -m config.messages check

bench: setup-dev
	@exec $(python) -m tests.bench

storm: setup-dev
	@exec $(python) -m tests.storm$(if $(FUZZ),.fuzz $(FUZZ)) $(ARGS)

messages: setup-dev
	@exec $(python) -m config.messages missing

stop:
	@if [ -x $(python) ]; then $(python) -m config.services stop; fi

clean:
	@if [ -x $(python) ]; then $(python) -m config.services remove; fi
	rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.mo' -path '*/locale/*' -delete
