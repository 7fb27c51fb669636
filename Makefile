# Every target is described by the comment behind its name; `make help` prints them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTEST = $(BIN)/pytest -n $(WORKERS) $(ARGS)
WORKERS ?= 2
ARGS ?=
PEERS ?= barretenberg snarkjs

# The key that the Solidity verifier is generated from.
VERIFYING_KEYS := verifier/keys/S.json verifier/keys/M.json

# Compiled kernels and development setups are kept here, so that the demo and the tests share them.
export PLASMAPERPS_CACHE ?= $(CURDIR)/.cache

.PHONY: help
help: ## Print this list
	@echo 'Usage: make TARGET [ARGS="-k transfer"] [WORKERS=2]'
	@echo
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
		awk -F ':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(VENV)/.ready contracts/node_modules/.ready ## Build .venv with every extra, and install the contract tools

$(VENV)/.ready: requirements.lock pyproject.toml scripts/setup-venv
	scripts/setup-venv $(VENV)
	@touch $@

contracts/node_modules/.ready: contracts/package.json contracts/package-lock.json
	@command -v npm >/dev/null || \
		{ echo 'setup: expected npm beside node, got none; on Debian: apt-get install npm' >&2; exit 2; }
	cd contracts && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: demo
demo: $(VENV)/.ready ## Run the example day: batches, proofs, settlement, refusals, a claimed withdrawal
	$(BIN)/plasmaperps demo $(ARGS)

.PHONY: test
test: setup contracts-check vk-check ## Run every check of a change: generated files, all tests, lint, types
	$(PYTEST)
	@$(MAKE) --no-print-directory lint types

.PHONY: test-fast
test-fast: setup ## Run the tests without the slow ones and without anvil, few Hypothesis examples
	HYPOTHESIS_PROFILE=fast $(PYTEST) -m 'not slow and not anvil'

.PHONY: test-slow
test-slow: setup ## Run all tests with many Hypothesis examples from a fresh seed (nightly)
	HYPOTHESIS_PROFILE=nightly $(PYTEST)

.PHONY: lint
lint: $(VENV)/.ready ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: fmt
fmt: $(VENV)/.ready ## Format the Python code and sort its imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(VENV)/.ready ## Check the types
	$(BIN)/mypy

.PHONY: contracts
contracts: setup ## Compile the contracts and write their artifacts
	cd contracts && npm run --silent compile

.PHONY: contracts-check
contracts-check: setup ## Recompile the contracts and compare with the committed artifacts
	cd contracts && npm run --silent check

.PHONY: vk
vk: $(VENV)/.ready ## Write the verifying keys and the Solidity code generated from them
	$(BIN)/python -m prover.keys verifier/keys
	$(BIN)/python -m verifier.solidity contracts/src/generated $(VERIFYING_KEYS)

.PHONY: vk-check
vk-check: $(VENV)/.ready ## Compare keys with the chips, and the generated Solidity code with the keys
	$(BIN)/python -m prover.keys verifier/keys --check
	$(BIN)/python -m verifier.solidity contracts/src/generated $(VERIFYING_KEYS) --check

.PHONY: vectors
vectors: setup ## Write the pinned figures and fixtures in tests/vectors anew
	$(BIN)/pytest --write-vectors $(ARGS)

.PHONY: docs
docs: $(VENV)/.ready ## Write the generated pages of docs/
	$(BIN)/python scripts/cli_reference.py docs/cli.md
	$(BIN)/python scripts/chips_reference.py docs/chips.md
	$(BIN)/python scripts/rules_reference.py docs/rule-tables.md

.PHONY: bench
bench: $(VENV)/.ready ## Measure proving time, proof size and gas of the example's batches here
	$(BIN)/plasmaperps demo --json | tail -n 1 | $(BIN)/python -m json.tool

.PHONY: soak
soak: $(VENV)/.ready ## Prove the example's first batch 200 times; memory must not grow (nightly)
	folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(BIN)/plasmaperps op run-file examples/margin_day.jsonl --batch-commands 300 --out "$$folder"; \
	$(BIN)/plasmaperps prover bench soak --witness "$$folder/batch-0001.witness" $(ARGS)

.PHONY: dist
dist: $(VENV)/.ready ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

.PHONY: lock
lock: $(VENV)/.ready ## Resolve the dependencies anew and write requirements.lock
	UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile pyproject.toml --quiet --upgrade \
		--output-file requirements.lock --universal --python-version 3.11 --generate-hashes \
		--all-extras --group test --group lint --group build \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: bench-peers
bench-peers: $(VENV)/.ready bench/peers/node_modules/.ready ## Measure the yardstick beside other provers (PEERS="barretenberg snarkjs")
	@for peer in $(PEERS); do $(BIN)/python bench/peers/run.py $$peer $(ARGS) || exit; done

bench/peers/node_modules/.ready: bench/peers/package.json bench/peers/package-lock.json
	@command -v npm >/dev/null || \
		{ echo 'bench-peers: expected npm beside node, got none; on Debian: apt-get install npm' >&2; exit 2; }
	cd bench/peers && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: ci
ci: ## Run exactly what continuous integration runs
	.ci/run

.PHONY: clean
clean: ## Remove all that the other targets made, the environments included
	rm -rf $(VENV) contracts/node_modules bench/peers/node_modules .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		dist build demo-out batches
	find circuits verifier prover sequencer tests scripts bench -name __pycache__ -type d -prune \
		-exec rm -rf {} +
