# What a developer types. `make` alone lists it. Everything happens in .venv, which makes itself when it is needed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory --no-builtin-rules

# A program starts a quarter quicker where its modules lie compiled beside them, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

# Passed on to the command, as in: make test ARGS='tests/unit -k hash'
ARGS ?=
# A Python of your choice; otherwise the first of these that is new enough.
PYTHON ?=
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14
BIN := .venv/bin
# Where `make install` puts releases, and the command.
PREFIX ?= $(if $(filter 0,$(shell id -u)),/opt/killreport,$(HOME)/.local/lib/killreport)
BINDIR ?= $(if $(filter 0,$(shell id -u)),/usr/local/bin,$(HOME)/.local/bin)
PACKAGES := $(BIN)/python installation/packages.py
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
COMPILE := $(BIN)/pip-compile --quiet --strip-extras --no-header --no-annotate --generate-hashes --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
LOCK_HEADER := \# Made by `make lock` from pyproject.toml; not to be edited by hand.

.PHONY: help demo install test lint check bench docs lock format clean

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '%-14s %s\n' "$$name" "$$what"; done

demo: .venv/runtime.stamp ## Show everything at work; ARGS='--rate 120 --web-port 8080' and the like
	@exec $(BIN)/python -m killreport demo $(ARGS)

install: ## Install this release for real, beside those that are there; PREFIX=/opt/killreport BINDIR=/usr/local/bin
	@$(FIND_PYTHON); exec "$$found" installation/release.py "$(PREFIX)" "$(BINDIR)"

test: .venv/dev.stamp ## Run all tests; ARGS='tests/unit -k hash' and the like
	@exec $(BIN)/python -m pytest $(ARGS)

lint: .venv/dev.stamp ## Format, lint, types and import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## The same and the unit tests: what a commit must pass
	$(BIN)/python -m pytest tests/unit

bench: .venv/dev.stamp ## Measure: import against a raw COPY, size on disk, latency, memory
	@exec $(BIN)/python -m bench $(ARGS)

docs: .venv/dev.stamp ## Write the generated pages of docs/reference and the schema of the API anew
	$(BIN)/python -m killreport.api.killmail.filter_sdl killreport/api/killmail/filter.graphql
	$(BIN)/python -m killreport.api.schema killreport/api/schema.graphql
	$(BIN)/python -m killreport.cli.reference docs/reference

format: .venv/dev.stamp ## Bring the code into the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/dev.stamp ## Choose dependencies anew within pyproject.toml's bounds; ARGS='--upgrade' for the newest
	$(COMPILE) $(ARGS) --all-build-deps --only-build-deps --output-file requirements-build.lock pyproject.toml
	$(COMPILE) $(ARGS) --output-file requirements.lock pyproject.toml
	$(COMPILE) $(ARGS) --extra dev --constraint requirements-build.lock --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml
	@for file in requirements-build.lock requirements.lock requirements-dev.lock; do \
		{ echo '$(LOCK_HEADER)'; grep -E '^([A-Za-z0-9]|    --hash=)' $$file; } > $$file.new && mv $$file.new $$file; done

clean: ## Remove .venv and every cache; data is not touched
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Leaves the Python to use in $found, or ends with a sentence.
FIND_PYTHON = for python in $(or $(PYTHON),$(CANDIDATES)); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found=$$python && break; done; \
	if [ -z "$$found" ]; then \
		echo "KillReport needs Python 3.11 or newer, and there is none$(if $(PYTHON), at $(PYTHON), on the PATH)." \
			"Install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$found cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; fi

# A virtual environment whose Python is gone, or that was moved or copied from elsewhere, is made anew: its programs
# name the folder they were installed in.
IS_OURS := [ "$$($(BIN)/python -c 'import sys; print(sys.prefix)' 2>/dev/null)" -ef .venv ] \
	&& grep -qF "$(CURDIR)/.venv/bin/" $(BIN)/pip 2>/dev/null
ifneq ($(shell $(IS_OURS) && echo yes),yes)
$(shell rm -f .venv/*.stamp)
endif

.venv/made.stamp:
	@if $(IS_OURS); then touch $@; exit; fi; $(FIND_PYTHON); \
	echo "Making .venv with $$("$$found" --version)."; \
	"$$found" -m venv --clear .venv && touch $@

.venv/runtime.stamp: requirements-build.lock requirements.lock pyproject.toml setup.py .venv/made.stamp
	@echo "Installing what KillReport needs, once, and again when the lock changes: about 40 MB to download."
	@$(PACKAGES) requirements-build.lock requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	@echo "Installing what its developers need: about 65 MB more."
	@$(PACKAGES) requirements-dev.lock
	@touch $@
