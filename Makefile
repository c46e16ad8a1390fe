# `make` lists the targets. Variables: PYTHON (3.11 or newer), TORCH_INDEX (package index of a CPU build of torch).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
CODE := crds cli operator worker tools tests benchmarks
TORCH_INDEX ?=

.DEFAULT_GOAL := help
.PHONY: help install format check test demo crds docs lock clean cluster-up cluster-install cluster-down cluster-build test-cluster test-local bench

##@ Using it
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## the virtual environment with everything a developer needs

demo: install ## train examples/01-classify to a printed result
	$(BIN)/graft run examples/01-classify/job.yaml --store graft-store

##@ Working on it
format: install ## rewrite the code in the house's form
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

check: install ## form, lint, types, layers, sizes, generated files
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.caps
	$(BIN)/python -m tools.generate --check

test: test-local test-cluster ## every test; what lacks a cluster or GRAFT_DATA skips and says so

test-local: install ## every test without a cluster, several at once
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -m "not cluster" --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

crds: install ## custom resource definitions and the field reference, from the models
	$(BIN)/python -m tools.generate

bench: install ## every benchmark row, or one: make bench ROW=C5
	$(BIN)/python -m benchmarks $(ROW)

lock: install ## rewrite constraints.txt from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --extra dev pyproject.toml -o constraints.txt

##@ A Kubernetes cluster on this machine (root, Linux, Go; see tests/cluster/README.md)
cluster-up: install ## start it; prints the two lines that your shell needs
	@$(BIN)/python -m tests.cluster up

test-cluster: install ## the tests that need it, one after the other; starts one where none runs
	$(BIN)/python -m pytest -m cluster

cluster-install: install ## build and push the images, install the chart
	@$(BIN)/python -m tests.cluster install

cluster-down: install ## stop it; its state is kept
	@$(BIN)/python -m tests.cluster down

cluster-build: install ## build the programs it is made of, once
	@$(BIN)/python -m tests.cluster build

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache graft-store

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(BIN)/pip install --quiet -c constraints.txt torch --index-url $(TORCH_INDEX))
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@
