#!/bin/bash
# Fails where crds/ (and its copy in the chart) or docs/reference/ differ from what the models generate.
set -euo pipefail
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

.venv/bin/python -m penstock_operator.resources.generate --crds "$fresh/crds" --docs "$fresh/reference" >/dev/null
if ! diff -ru crds "$fresh/crds" || ! diff -ru --exclude kustomization.yaml helm/penstock/crds "$fresh/crds" || ! diff -ru docs/reference "$fresh/reference"; then
    echo "penstock: crds/ or docs/reference/ are out of date. Run: make generate" >&2
    exit 1
fi
.venv/bin/python tools/field_table.py --check
.venv/bin/python tools/kafka_coverage.py --check
