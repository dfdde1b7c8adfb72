# Two commands for a new user: `make demo` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo rig-demo test test-system lint compile images release stack stack-down clean

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
	$(BIN)/python -m pytest --ignore=tests/system --numprocesses 2 --dist loadfile
	@echo "left out: tests/system, which needs a container engine, servers, a camera and a browser; make test-system"

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
# Steps take their image from components/images.py, servers theirs from stack/.env.
STEP_IMAGES := $(patsubst %,%-python,vision training)
SERVER_IMAGES := database object-store tracking
images: $(addprefix image-,$(STEP_IMAGES) $(SERVER_IMAGES))  ## container images of the steps and of the stack's servers

# Containers build and run on the host's network; its bundle of certificates is handed to pip where there is one.
build/ca.crt:
	mkdir -p build
	cat "$${PIP_CERT:-/dev/null}" > $@

image-%: $(READY) build/ca.crt
	$(ENGINE) build --network=host --build-arg BASE=$(BASE) --build-arg VERSION=$(IMAGE_TAG) \
	  --build-arg COMMIT=$$(git rev-parse HEAD) \
	  $(if $(filter %-python,$*),--build-arg CODE=$$($(BIN)/python -c 'from glassline.data.storage import code_hash; print(code_hash("."))')) \
	  --file images/$(subst -,_,$(patsubst %-python,%,$*))/Containerfile --tag $(IMAGE_PREFIX)/$*:$(IMAGE_TAG) .

release: $(READY)  ## push what `make images` built, compile by digest: make release IMAGE_PREFIX=registry.example/team
	$(BIN)/glassline release --prefix $(IMAGE_PREFIX) --tag $(IMAGE_TAG) --engine $(ENGINE)

stack: $(READY)  ## MLflow with PostgreSQL and S3 on this machine: docs/stack.md
	$(BIN)/glassline stack start --engine $(ENGINE)

stack-down: $(READY)  ## stop it; VOLUMES=1 removes all runs and objects too
	$(BIN)/glassline stack stop --engine $(ENGINE) $(if $(VOLUMES),--volumes)

clean:
	rm -rf runs build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
