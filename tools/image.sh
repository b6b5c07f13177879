#!/bin/bash
# Builds the image of operator and gateways with docker, podman or buildah, whichever is there.
# Usage: tools/image.sh NAME:TAG [OPTIONS of the build...]
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:?usage: tools/image.sh NAME:TAG [OPTIONS...]}
shift

for builder in ${BUILDER:-docker podman buildah}; do
    command -v "$builder" >/dev/null && break
    builder=
done
if [ -z "$builder" ]; then
    echo "penstock: an image takes one of ${BUILDER:-docker, podman and buildah}; none is on PATH" >&2
    exit 1
fi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD 2>/dev/null || true)
echo "penstock: building $image with $builder"
exec "$builder" build --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --tag "$image" "$@" .
