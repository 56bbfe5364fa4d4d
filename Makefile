# Everything a person needs: `make tutor` opens the tutor, `make test` runs the tests.
# Both set up all they need themselves, once. QUANTIZE=1 adds the tools that make models.

ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif

SETUP := $(PYTHON) packaging/devkit/environment.py
ifdef QUANTIZE
SETUP += --with quantize
endif

.PHONY: tutor kit hub test check bench format screenshots

tutor:
	@$(SETUP)
	@$(BIN)/amauta tutor

kit:
	@$(SETUP) --with kit
	@$(BIN)/amauta-kit

hub:
	@$(SETUP) --with hub
	@$(BIN)/amauta hub --help

test:
	@$(SETUP) --with dev --with kit --with hub
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check:
	@$(SETUP) --with dev --with kit --with hub
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_architecture.py

format:
	@$(SETUP) --with dev --with kit --with hub
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench:
	@$(SETUP) --with dev --with kit --with hub
	$(BIN)/python -m benchmarks

screenshots:
	@$(SETUP) --with dev --with kit --with hub
	$(BIN)/python -m benchmarks.screenshots
