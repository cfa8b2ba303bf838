# Everything is set up in .venv, from requirements.lock (pinned, with hashes).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint unit simulate docs bench lock clean

demo: $(VENV)/ready ## Everything on this machine, with proof that nothing was lost (about a minute)
	$(BIN)/logship demo

test: lint unit ## All checks and tests; what this machine lacks is skipped with a reason

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict bench
	$(BIN)/lint-imports

unit: $(VENV)/ready
	$(BIN)/pytest --cov --cov-report=term:skip-covered

simulate: $(VENV)/ready ## Seeds of the simulation: make simulate SEEDS=10000 FROM=2000
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),2000) --from $(or $(FROM),0)

docs: $(VENV)/ready ## The pages that are generated from the code
	$(BIN)/python -m logship.config.reference --write docs

bench: $(VENV)/ready ## docs/benchmarks.md: every path beside its limits and the peers that are installed (half an hour)
	$(BIN)/python -m bench report

$(VENV)/ready: requirements.lock pyproject.toml setup.py $(wildcard logship/rows/_*.p* logship/rows/_*.h)
	@$(PYTHON) -c 'import sys; sys.exit("logship needs Python 3.11 or newer: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## Pin the newest versions again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-header \
		pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .coverage*
