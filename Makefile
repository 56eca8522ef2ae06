# make run   set up what is missing and serve
# make test  lint, types and tests, the same as CI
# make evaluate  what the packaged model finds and costs, into docs/detector.md (minutes; needs ../shared/data)
# make evaluate-all  that, and before it all it is compared with: baselines, unseen families, registry, seed (hours; killed, it goes on)
# make coredns  CoreDNS with the plugin namewarden, into build/coredns (needs Go; TAGS=kubernetes adds that plugin)
# make fuzz  a minute of junk for what the plugin reads
# make bench side-by-side measurements (20 minutes; needs two quiet cores and the Debian packages of `make packages packages-bench`)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Go's own place, where it is not on the path.
GO     := $(shell command -v go || ls /usr/local/go/bin/go 2>/dev/null)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEBS   := unbound nsd dnsperf bind9-dnsutils
DEBS_BENCH := pdns-recursor dnsdist tinycdb dnsmasq-base

.PHONY: run test coredns check-go fuzz evaluate evaluate-all setup setup-dev packages packages-bench lint types check bench bench-score locks clean

run: setup
	@$(BIN)/namewarden run

# Compiled once, as pip does with what it installs: else each process compiles what it imports, where nothing may be written.
setup: $(VENV)/.run
	@$(BIN)/python -m compileall -q src
setup-dev: $(VENV)/.dev
	@$(BIN)/python -m compileall -q src

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit("Namewarden needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: install your system's venv package (Debian: python3-venv)" >&2; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.venv requirements/run.lock pyproject.toml setup.py $(wildcard src/namewarden/*/_*.[ch])
	@echo "installing what Namewarden runs on (once; about a minute)" >&2
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@echo "installing what tests and training need (once; a few minutes)" >&2
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

packages:
	@sh tests/packages.sh $(DEBS)

# servers that are measured beside us and nothing else needs
packages-bench:
	@sh tests/packages.sh $(DEBS_BENCH)

lint:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@$(BIN)/mypy

check: lint types

test: setup-dev packages check check-go
	@$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

# go.mod and go.sum name every module; nothing else is taken.
coredns:
	@test -n "$(GO)" || { echo "make coredns needs Go: https://go.dev/dl" >&2; exit 1; }
	@cd coredns && $(GO) build -trimpath -buildvcs=false $(if $(TAGS),-tags $(TAGS)) -o ../build/coredns .

# The plugin: vet, staticcheck, and its tests under the race detector; they fail when a goroutine is left.
check-go:
	@if [ -n "$(GO)" ]; then \
		cd coredns && test -z "$$($(dir $(GO))gofmt -l .)" && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./... && $(GO) test -race ./...; \
	elif [ -n "$$NAMEWARDEN_REQUIRE_GO" ]; then echo "the CoreDNS plugin needs Go: https://go.dev/dl" >&2; exit 1; \
	else echo "skipped: the CoreDNS plugin is not checked, for there is no Go (https://go.dev/dl)" >&2; fi

fuzz:
	@cd coredns && $(GO) test -run '^$$' -fuzz FuzzDecodeVerdicts -fuzztime 30s -fuzzminimizetime 1s ./namewarden
	@cd coredns && $(GO) test -run '^$$' -fuzz FuzzLeads -fuzztime 30s -fuzzminimizetime 1s ./namewarden

bench: setup-dev packages packages-bench
	@$(BIN)/python -m bench $(ARGS)

evaluate: setup-dev
	@$(BIN)/namewarden evaluate --write-docs docs/detector.md $(ARGS)

# Everything the page compares with: what lies in EVALUATION is not made again. Each step shows its own progress.
EVALUATION := build/evaluation
BASELINES  := ngram-lr fanci-forest dns-alert-net mit-cnn-lstm b-resnet nyu-cnn invincea-cnn endgame-lstm
SAME       := $(patsubst %,$(EVALUATION)/recipe-%-600000x1.json,$(BASELINES) own)
HELD       := $(EVALUATION)/recipe-own.json
REGISTRY   := $(EVALUATION)/recipe-own-from-registry.json
MEASURE     = $(BIN)/namewarden evaluate --out $(EVALUATION) $(ARGS)

evaluate-all: $(SAME) $(HELD) $(REGISTRY) setup-dev
	@echo "the seed's own task, then the packaged model, beside all of these" >&2
	@$(MEASURE) --seed-task --write-docs docs/detector.md

$(SAME): $(EVALUATION)/recipe-%-600000x1.json: | setup-dev
	@echo "$*: 600,000 names, once; $(words $(SAME)) recipes get as many" >&2
	@$(MEASURE) --recipe $* --examples 600000 --epochs 1 --no-attacks > /dev/null

$(HELD): | setup-dev
	@echo "own: without 17 families, then five times without a fifth of the generators" >&2
	@$(MEASURE) --recipe own --left-out > /dev/null

$(REGISTRY): | setup-dev
	@echo "own: learned from the registry's names alone" >&2
	@$(MEASURE) --recipe own --learn - --no-attacks > /dev/null

# one core, about a minute
bench-score: setup-dev
	@$(BIN)/python -m bench.score $(ARGS)

# needs uv; --no-emit-index-url keeps addresses out
locks:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/build.in pyproject.toml -o requirements/run.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --all-extras -c requirements/run.lock requirements/build.in pyproject.toml -o requirements/dev.lock

clean:
	rm -rf $(VENV) build src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
