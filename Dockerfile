# The image of operator and gateways: `make image`. Python and one virtual environment, nothing else.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS builder
# Where packages come from, if not from PyPI; build arguments are not in the final image.
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The tools of the build in an environment of their own; a C compiler where the base has none.
COPY tools/compiler.sh tools/apt_install.sh tools/
RUN python -m venv /build && tools/compiler.sh /build/bin/python
COPY requirements.lock pyproject.toml ./
# What the wheel needs, before the sources: it changes less often.
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
      > dependencies.txt \
 && pip="/build/bin/python -m pip" \
 && $pip install 'pip>=25.1' \
 && $pip install --constraint requirements.lock --group build --group dev --requirement dependencies.txt \
 && python -m venv --without-pip /opt/penstock \
 && $pip --python /opt/penstock/bin/python install --constraint requirements.lock --only-binary :all: \
      --requirement dependencies.txt
COPY . .
# With the hot modules compiled: a wheel for all platforms would mean that they are not.
RUN pip="/build/bin/python -m pip" \
 && $pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && ! ls /dist/*-none-any.whl 2>/dev/null \
 && $pip --python /opt/penstock/bin/python install --no-deps /dist/*.whl \
 && /opt/penstock/bin/penstock --version

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION
LABEL org.opencontainers.image.title="Penstock" \
      org.opencontainers.image.description="An API gateway and the Kubernetes operator that runs it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /opt/penstock /opt/penstock
# The root file system may be read-only; what Python would cache is compiled already.
ENV PATH=/opt/penstock/bin:${PATH} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# By number, so that `runAsNonRoot` can be checked; it needs neither a name nor a home.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["penstock"]
CMD ["--help"]
