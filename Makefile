# Everything there is to do with a checkout. `make help` lists it.
# Needed beforehand: Python 3.11 or later, and git. Node is taken from the system if it is 20 or later.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JS := tests/js
CODE_SERVER := build/code-server
WORKFLOWS = $(shell git ls-files '*.wf' ':!tests/corpus')
CHROMIUM := chromium chromium-browser google-chrome

# Tools of the virtual environment come first, for every recipe below.
export PATH := $(CURDIR)/$(BIN):$(PATH)

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
NODE_CHECK := process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-all lint fmt generate pictures pictures-vscode bench mutants clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# ---------------------------------------------------------------- set-up; each step leaves a stamp and is skipped after

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# wfc itself, with what it needs to run.
$(VENV)/.run: $(VENV)/.made pyproject.toml requirements-dev.txt
	$(PIP) install --constraint requirements-dev.txt hatchling
	$(PIP) install --constraint requirements-dev.txt --no-build-isolation --editable .
	@touch $@

# The tools of development.
$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(PIP) install --requirement requirements-dev.txt
	@touch $@

# Node, for the tests that hand what wfc writes to the tools that read it.
$(VENV)/.node: $(VENV)/.made requirements-node.txt
	@if node -e '$(NODE_CHECK)' 2>/dev/null && npm --version >/dev/null 2>&1; then \
	  echo "using Node $$(node --version)"; \
	else \
	  $(PIP) install --requirement requirements-node.txt && \
	  $(BIN)/python $(JS)/link_node.py; \
	fi
	@touch $@

$(JS)/node_modules/.installed: $(VENV)/.node $(JS)/package.json $(JS)/package-lock.json $(JS)/.npmrc
	cd $(JS) && npm ci
	@touch $@

# Chromium, for the tests that look at the pictures as a reader does. Without it they are skipped, and say so.
$(VENV)/.chromium: $(VENV)/.made
	@for name in $(CHROMIUM); do found=$${found:-$$(command -v $$name)}; done; \
	if [ -n "$$found" ]; then \
	  echo "using $$found"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; \
	else \
	  echo "no Chromium found: the tests that render pictures will be skipped (apt-get install chromium)"; \
	fi
	@touch $@

# Editors and shells, for the tests that let them read what we write. Without one its tests are skipped, and say so.
$(VENV)/.editors: $(VENV)/.made
	@missing=; for pair in vim=vim nvim=neovim emacs=emacs-nox zsh=zsh fish=fish; do \
	  command -v "$${pair%=*}" >/dev/null 2>&1 || missing="$$missing $${pair#*=}"; \
	done; \
	if [ -z "$$missing" ]; then \
	  echo "using Vim, Neovim, Emacs, zsh and fish"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else \
	  echo "not found, so their tests will be skipped:$$missing"; \
	fi
	@touch $@

setup: $(VENV)/.dev $(JS)/node_modules/.installed $(VENV)/.chromium $(VENV)/.editors ## make .venv and tests/js/node_modules

# ---------------------------------------------------------------- use

demo: $(VENV)/.run ## compile the order example into build/demo
	wfc compile examples/order-fulfillment/order-fulfillment.wf --out build/demo
	@echo
	@echo "Look at build/demo/order-fulfillment.diagram.md first (GitHub and most editors draw its pictures),"
	@echo "then at examples/README.md."

# ---------------------------------------------------------------- check

test: setup lint ## everything a change must pass
	pytest -n 2 -m "not long"

test-fast: $(VENV)/.dev ## the tests that start nothing else, with few random cases
	WFC_HYPOTHESIS=fast pytest -n 2 -m "not slow and not js"

test-all: setup lint ## as test, with many more random cases, and what takes long and shows more of the same
	WFC_HYPOTHESIS=nightly pytest -n 2

lint: $(VENV)/.dev ## style, types, walls between rooms, generated files
	ruff check .
	ruff format --check .
	wfc fmt --check $(WORKFLOWS)
	mypy
	lint-imports
	python -m wfc.devtools.generate --check

# ---------------------------------------------------------------- change

fmt: $(VENV)/.dev ## format, and fix what can be fixed safely
	ruff check --fix-only --quiet .
	ruff format .
	wfc fmt $(WORKFLOWS)

generate: $(VENV)/.dev ## rewrite the generated files
	python -m wfc.devtools.generate

pictures: setup ## draw the images of README.md and the docs; needs tmux
	wfc compile examples/order-fulfillment examples/loan-approval --target diagram --out build/pictures
	node $(JS)/render-gate.mjs $(JS)/node_modules/mermaid/dist/mermaid.min.js --png docs/images \
	  build/pictures/order-fulfillment.diagram.md build/pictures/loan-approval.diagram.md > build/pictures/told.json
	python -m tests.pictures.draw check.png vim.png emacs.png

# VS Code as it is served to a browser: large, and for Node 20 only, so nothing but this picture asks for it. Its own script of
# installation would fetch a tool for searching as well, so what has to be built is named here.
$(CODE_SERVER)/.installed: tests/pictures/code-server/package.json tests/pictures/code-server/package-lock.json
	mkdir -p $(CODE_SERVER)
	cp $^ $(CODE_SERVER)
	cd $(CODE_SERVER) && npm ci --ignore-scripts && npm rebuild argon2
	cd $(CODE_SERVER)/node_modules/code-server/lib/vscode && npm install --omit=dev --ignore-scripts && \
	  npm_config_yes=true npm rebuild node-pty @vscode/spdlog native-watchdog && ln -sfn node_modules node_modules.asar
	cd $(CODE_SERVER)/node_modules/code-server/lib/vscode/extensions && npm install --omit=dev --ignore-scripts
	@touch $@

pictures-vscode: setup $(CODE_SERVER)/.installed ## draw the image of VS Code; installs a VS Code for it into build
	cp tests/pictures/code-server/session.mjs $(CODE_SERVER)
	python -m tests.pictures.draw vscode.png

bench: $(VENV)/.dev ## measure start-up, parsing and the machine
	python -m benchmarks.run

mutants: $(VENV)/.dev ## seed faults into correct programs, and see whether the checker finds them
	python -m tests.mutants.harness --write

clean: ## remove what the targets above made
	rm -rf $(VENV) $(JS)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
