# The agent, with the compiled row kernel; no compiler in the image that runs.
#
#   docker build -t REGISTRY/logship:0.1.0 .
#   docker build -t REGISTRY/logship-loader:0.1.0 --build-arg EXTRAS=[loader] .
#
# BASE: any image with Python 3.11 or newer and glibc; both stages use it, so that paths agree.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
ARG EXTRAS=
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
# Versions are those that the tests ran with; a kernel that was not built fails here, not on a node.
RUN python3 -m venv --without-pip /opt/logship \
    && sed -nE 's/^([a-z0-9._-]+(\[[a-z,]+\])?==[^ ;\\]+).*/\1/p' /src/requirements.lock > /tmp/versions.txt \
    && python3 -m pip --python /opt/logship/bin/python install --no-cache-dir \
        --constraint /tmp/versions.txt "/src${EXTRAS}" \
    && find /opt/logship -name '*.so' -exec strip --strip-unneeded {} + \
    && /opt/logship/bin/logship version | grep 'row kernel: compiled'

FROM ${BASE}
COPY --from=build /opt/logship /opt/logship
# BASE has the standard library uncompiled, and a root file system that is read-only never gets the
# compiled files: what a start imports is compiled here, or else at every start on every node.
RUN ["/opt/logship/bin/python", "-c", "import aiohttp.web, logship.cli.run, logship.cli as cli; cli.main(['plugins'])"]
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["/opt/logship/bin/logship"]
