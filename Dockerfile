# One image for every role: pages (the default), sockets, worker, scheduler, migrate.
FROM python:3.13-slim-bookworm AS packages
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements.lock

FROM python:3.13-slim-bookworm
RUN useradd --uid 10001 --user-group --home-dir /var/lib/lectern --create-home --shell /usr/sbin/nologin lectern
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/lectern
COPY wsgi.py pyproject.toml ./
COPY deploy deploy
COPY migrations migrations
COPY static static
COPY templates templates
COPY lms lms
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LMS_ENV=production \
    LMS_HOME=/var/lib/lectern
USER 10001:10001
VOLUME /var/lib/lectern
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "deploy/gunicorn_pages.py", "--bind", "0.0.0.0:8000", "wsgi:application"]
