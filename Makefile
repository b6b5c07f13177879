# Two commands do all set-up on a fresh Debian or Ubuntu: `make demo` and `make test`.
# PYTHON=/path/to/python3 picks the interpreter of .venv; PENSTOCK_COMPILE=0 keeps the runtime pure Python.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready
IMAGE ?= penstock
TAG ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.PHONY: help venv compile demo test e2e lint generate kafka-schemas format lock image chart-lint bench-http bench-operator bench-kafka clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## Make .venv with Penstock and its tools

$(READY): pyproject.toml requirements.lock tools/venv.sh
	@tools/venv.sh $(VENV)
	@touch $@

compile: $(READY) ## Compile the hot modules in place where a C compiler is there
	@tools/compiler.sh $(PY)
	@$(PY) tools/compile_hot.py

demo: compile ## Serve examples/quickstart, try it with curl and print the answers
	@$(PY) tools/demo.py

test: compile ## Run all tests, in two processes; ARGS="tests/unit -x": some, in one
	@$(PY) -m pytest $(or $(ARGS),--numprocesses 2 --dist loadscope)

e2e: compile ## Run the end-to-end scenarios with real pods, on kind or a native node, and the slow tests
	@nice -n 5 $(PY) -m e2e.run $(ARGS)
	@$(if $(ARGS),true,$(PY) -m pytest -m slow)

lint: $(READY) ## Check style, types, import contracts and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tools/*.py
	$(BIN)/lint-imports
	tools/check_generated.sh

generate: $(READY) ## Write crds/ (also into the chart), docs/reference/ and docs/fields.md from the models
	$(PY) -m penstock_operator.resources.generate --crds crds --docs docs/reference
	cp crds/*.yaml helm/penstock/crds/
	$(PY) tools/field_table.py
	$(PY) tools/kafka_coverage.py

kafka-schemas: $(READY) ## Write the schemas of Kafka's messages anew, of the release that tests bring
	$(PY) tools/kafka_schemas.py
	$(PY) tools/kafka_coverage.py

format: $(READY) ## Format the sources
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: $(READY) ## Write requirements.lock anew with the latest versions
	tools/lock.sh $(PY)

image: ## Build the image IMAGE:TAG of operator and gateways; OPTIONS go to docker, podman or buildah
	@tools/image.sh $(IMAGE):$(TAG) $(OPTIONS)

chart-lint: compile ## Check the Helm chart and the kustomize base against a real Kubernetes API
	@$(PY) -m pytest tests/integration/chart $(ARGS)

bench-http: compile ## Measure the data plane beside its peers
	$(PY) -m pip install --quiet --constraint requirements.lock --group bench
	$(PY) -m bench.http $(ARGS)

bench-operator: compile ## Measure the operator with 5,000 APIs on a real Kubernetes API
	$(PY) -m bench.operator $(ARGS)

bench-kafka: compile ## Measure the Kafka gateway beside a broker alone and Kroxylicious
	$(PY) -m bench.kafka $(ARGS)

clean: ## Remove .venv, compiled modules and caches
	find gateway_runtime operator -name '*.so' -delete
	rm -f -- *__mypyc*.so
	rm -rf -- $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
