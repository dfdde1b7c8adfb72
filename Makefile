# Two commands for a new user: `make demo` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo rig-demo test test-system lint compile images clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "glassline needs Python 3.11 or newer, got " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# GenICam cameras: needs Debian's gir1.2-aravis-0.8, libgirepository1.0-dev and libcairo2-dev.
CAMERA := $(VENV)/.camera
$(CAMERA): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[camera]'
	touch $@

demo: $(READY)  ## the main job on simulated line-scan data: no server, no container engine
	$(BIN)/glassline run retrain --preset demo --out runs/demo

rig-demo: $(CAMERA)  ## a glass through simulated devices behind their real protocols; as root, for whole frames
	$(BIN)/python benchmarks/rig_demo.py --out runs/rig-demo

test: $(READY) lint  ## everything that needs no server, browser, camera or container engine
	$(BIN)/python -m pytest --ignore=tests/system

test-system: $(CAMERA)  ## the rest, as root: Debian's packages for it are in .ci/run
	$(BIN)/python -m pytest tests/system

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

compile: $(READY)  ## pipelines/compiled/*.yaml, committed and checked by a test
	$(BIN)/glassline compile --all

IMAGE_PREFIX ?= glassline
IMAGE_TAG ?= 0.1.0
BASE ?= python:3.11-slim-bookworm
ENGINE ?= docker
images:  ## container images of the steps
	for family in vision training; do \
	  $(ENGINE) build --build-arg BASE=$(BASE) --build-arg COMMIT=$$(git rev-parse HEAD) \
	    --file images/$$family/Containerfile --tag $(IMAGE_PREFIX)/$$family-python:$(IMAGE_TAG) . || exit 1; \
	done

clean:
	rm -rf runs build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
