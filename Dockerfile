# envcheck with a CPU TensorFlow in a slim image:
#
#   docker build --tag envcheck .
#   docker run --rm envcheck
#
# To check your own image (a GPU one, say), install envcheck into the environment that trains there and copy the
# HEALTHCHECK below: `doctor` judges the Python that it is installed for, or the one that `--python` names. What a health check
# looks at, and the same for Kubernetes and Slurm: docs/containers.md.
FROM python:3.12.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY envcheck envcheck
COPY compat_matrix compat_matrix
RUN python -m venv /opt/envcheck \
 && /opt/envcheck/bin/pip install --no-cache-dir '.[tensorflow]'

FROM python:3.12.11-slim-bookworm
RUN useradd --create-home --uid 1000 envcheck
COPY --from=build /opt/envcheck /opt/envcheck
ENV PATH=/opt/envcheck/bin:$PATH
USER envcheck
WORKDIR /home/envcheck

# Light: it imports nothing of TensorFlow, ends before Docker's own timeout, and exits with 0 or 1 only.
HEALTHCHECK --interval=60s --timeout=10s --start-period=5s --retries=2 \
  CMD ["envcheck", "healthcheck", "--timeout", "8s"]
ENTRYPOINT ["envcheck"]
CMD ["doctor"]
