# Everything a fresh machine with Python 3.11, pip and make needs. Environments live in .venv/ and are made on demand.
PYTHON ?= python3
DEMO := .venv/demo/bin/python
DEV := .venv/dev/bin/python
LOWEST := .venv/lowest/bin/python
PIP = $(PYTHON) -m pip --disable-pip-version-check --python $(1) install --quiet --require-hashes
CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one with make PYTHON=...") if sys.version_info < (3, 11) else 0'
# A worker more than there are processors, as many tests wait for timeouts and for other processes; one that is behind
# gives tests away.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PARALLEL = -n $(WORKERS) --dist worksteal
# An old library may say of a newer one below it that it is deprecated.
OLD := -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning
# Long tests of what no version of a library has a say in.
NO_LIBRARIES := --ignore=tests/history/test_page.py \
	--deselect=tests/history/running/test_processes.py::test_a_run_that_is_killed_twenty_times

# A process that keeps no bytecode compiles the package each time it starts, and the suite starts hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-lowest test-all check coverage docs generate package bench mutants lock clean
.DEFAULT_GOAL := help

help:  ## the commands there are
	@echo 'make ...'
	@sed -n 's/^\([a-z-]*\):.*  ## /\1:/p' Makefile | awk -F: '{ name = $$1; sub(/^[^:]*:/, ""); printf "  %-12s %s\n", name, $$0 }'

demo: .venv/demo/.ready  ## the main job, offline on our simulator; LIVE=1 asks Binance itself
	@$(DEMO) -m binance_sdk demo $(if $(LIVE),--live)

# The tests of processes start many, which have to make progress within seconds: they run alone.
test: .venv/dev/.ready  ## the whole test suite, on every processor
	$(DEV) -m pytest $(PARALLEL) --ignore=tests/processes --ignore=tests/built_site
	$(DEV) -m pytest tests/processes

test-lowest: .venv/lowest/.ready  ## what users rely on, with the lowest version of every direct dependency
	$(LOWEST) -m pytest $(PARALLEL) $(OLD) tests/cli/test_call.py tests/contract tests/decode tests/frames tests/history tests/metrics \
		tests/network tests/runtime tests/streams $(NO_LIBRARIES)

test-all: .venv/dev/.ready .venv/lowest/.ready  ## the long one, before an issue is closed: lowest and newest versions, every Python here
	$(DEV) -m tests.everywhere

check: .venv/dev/.ready  ## lint, types, public types, generated code
	$(DEV) -m ruff check .
	$(DEV) -m ruff format --check .
	$(DEV) -m mypy
	$(DEV) -m pyright --pythonpath $(DEV)
	$(DEV) -m tests.public_types
	$(DEV) -m codegen check

coverage: .venv/dev/.ready  ## the test suite with branch coverage
	$(DEV) -m coverage erase
	$(DEV) -m coverage run -m pytest
	$(DEV) -m coverage combine --quiet
	$(DEV) -m coverage report

# Without --quiet: warnings that are not printed are not counted either, and strict lets all of them pass.
docs: .venv/dev/.ready  ## the pages of docs/ with the reference, into site/, looked at in a browser; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(DEV) -m mkdocs build
	$(DEV) -m pytest tests/built_site

generate: .venv/dev/.ready  ## write binance_sdk/_generated from spec/
	$(DEV) -m codegen generate

package: .venv/dev/.ready  ## wheel and sdist into dist/, with the list of what they bring along
	rm -rf dist
	$(DEV) -m hatchling build
	$(DEV) deploy/release/contents.py dist

bench: .venv/dev/.ready  ## every figure that the pages state
	$(DEV) -m benchmarks

mutants: .venv/dev/.ready  ## mistakes put into the code on purpose: the tests have to notice each; MUTANTS="--help" tells more
	$(DEV) -m tests.mutants $(MUTANTS)

lock: .venv/dev/.ready  ## compile the lock files from pyproject.toml
	$(DEV) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra cli --extra simulator pyproject.toml -o requirements-demo.lock
	$(DEV) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra dev pyproject.toml -o requirements-dev.lock

clean:  ## away with environments, caches and what was built
	rm -rf .venv dist site .mutants .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

.venv/demo/.ready: requirements-demo.lock
	@$(CHECK_PYTHON)
	@echo "setting up .venv/demo ..."
	@$(PYTHON) -m venv --clear --without-pip .venv/demo
	@$(call PIP,$(DEMO)) -r requirements-demo.lock
	@touch $@

.venv/dev/.ready: requirements-dev.lock pyproject.toml
	@$(CHECK_PYTHON)
	@echo "setting up .venv/dev ..."
	@$(PYTHON) -m venv --clear --without-pip .venv/dev
	@$(call PIP,$(DEV)) -r requirements-dev.lock
	@$(PYTHON) -m pip --disable-pip-version-check --python $(DEV) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# What pyproject.toml allows at least; what comes with that is as new as it may be.
.venv/lowest/.ready: pyproject.toml | .venv/dev/.ready
	@echo "setting up .venv/lowest ..."
	@$(DEV) -m uv venv --quiet --clear --python $(DEV) .venv/lowest
	@$(DEV) -m uv pip install --quiet --python $(LOWEST) --resolution lowest-direct -e '.[all,test]'
	@touch $@
