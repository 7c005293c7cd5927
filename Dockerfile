# The production image: web, worker and scheduler are the same image with another command.
FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
RUN pip install --no-cache-dir "uv==0.13.9"
COPY requirements/run.lock requirements/run.lock
RUN python -m venv /opt/venv && VIRTUAL_ENV=/opt/venv uv pip sync --no-cache --require-hashes requirements/run.lock

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app holdfast && mkdir /keys && chown holdfast /keys && chmod 700 /keys
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY leadscenter leadscenter
COPY accounts accounts
COPY forms_builder forms_builder
COPY campaigns campaigns
COPY leads leads
COPY templates templates
COPY static static
RUN mkdir -p var staticfiles && chown holdfast var staticfiles
USER holdfast
# Static files are hashed at build time. What this step says about the environment stays in this step.
RUN SECRET_KEY="only-while-building-the-image-0123456789-abcdefghijk" ALLOWED_HOSTS=localhost PUBLIC_URL=http://localhost:8000 \
    EMAIL_URL=consolemail:// LEADS_KEY_FILE=/tmp/building.json \
    sh -c 'python -m leadscenter.installation --secrets-only --new-key-file && python manage.py collectstatic --noinput -v 0; status=$?; rm -f /tmp/building.json; exit $status'
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz/ready', timeout=2)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--no-ws", "leadscenter.wsgi:application"]
