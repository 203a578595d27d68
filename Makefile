# `make help` lists what there is. Everything that is built lands in .build/, everything Weir writes in data/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# Debian packages, one list per purpose.
RUN_PACKAGES := zlib1g-dev libdeflate-dev libzstd-dev libpcre2-dev libssl-dev libpq-dev libsqlite3-dev
DEMO_PACKAGES := python3 python3-venv
TEST_PACKAGES := $(RUN_PACKAGES) $(DEMO_PACKAGES) gcc libc6-dev protobuf-c-compiler libprotobuf-c-dev curl zstd openssl nghttp2-client postgresql chromium node-typescript
TORTURE_PACKAGES := $(TEST_PACKAGES) openjdk-17-jre-headless
BENCH_PACKAGES := $(RUN_PACKAGES) protobuf-c-compiler libprotobuf-c-dev libsimdjson-dev libhyperscan-dev wrk lld gcc libc6-dev postgresql

WEIR := .build/release/weir
VENV := .build/venv
PYTHON := $(VENV)/bin/python
REQUIREMENTS := Tests/SystemTests/requirements.txt
# What `make redaction-quality` reads: labelled texts, and values of LLM spans.
LABELLED ?= Benchmarks/data/presidio_research_synth_dataset_v2.json.gz
TRACE ?= Benchmarks/data/trace_chat_sample.jsonl.gz
SWIFT_FILES := Package.swift Sources Tests
# Folders are among the sources, so that a deleted file causes a build as well.
SOURCES := Package.swift $(shell find Sources)

# Installs those of the packages $(1) that are missing; asks apt nothing when all are there.
define install
missing=(); \
if ! command -v dpkg-query >/dev/null; then \
    echo "not a Debian system: these packages, or what they are called here, have to be there: $(1)"; exit 0; \
fi; \
for package in $(1); do \
    [[ "$$(dpkg-query -W -f='$${db:Status-Abbrev}' $$package 2>/dev/null || true)" == ii* ]] || missing+=("$$package"); \
done; \
if (( $${#missing[@]} )); then \
    sudo=(); (( $$(id -u) == 0 )) || sudo=(sudo); \
    "$${sudo[@]}" apt-get -o Acquire::Retries=5 update; \
    "$${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=5 install -y --no-install-recommends "$${missing[@]}"; \
fi
endef

.PHONY: help run test demo langsmith-dev bench redaction-quality fuzz torture telemetry-check beacon-script lint format \
    clean run-packages test-packages torture-packages demo-packages bench-packages tests-build unit-tests system-tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(WEIR) ## build what changed and start Weir with collector.yaml
	@exec $(WEIR) run --config collector.yaml

test: unit-tests system-tests ## install what the tests need and run all of them

demo: $(VENV)/installed ## send spans from the OpenTelemetry SDK to a running Weir and show what arrived
	@exec $(PYTHON) demo/demo.py

langsmith-dev: $(VENV)/installed ## a strict LangSmith server on port 1984 that prints every run it gets
	@exec $(PYTHON) Tests/SystemTests/smith.py

bench: bench-packages $(WEIR) $(VENV)/installed redaction-quality ## measure speed and memory, and how much redaction finds
	PYTHON=$(CURDIR)/$(PYTHON) Benchmarks/run.sh

redaction-quality: $(WEIR) $(VENV)-quality/installed ## how much of labelled texts redaction finds, beside Presidio
	$(VENV)-quality/bin/python Benchmarks/redaction_quality.py $(WEIR) $(LABELLED) $(TRACE)

fuzz: bench-packages ## feed the decoders with mutated input
	Benchmarks/fuzz.sh

torture: torture-packages $(WEIR) $(VENV)/torture $(VENV)-phoenix/installed ## the long tests, and all of the program as it is shipped
	WEIR_TORTURE=1 Tests/with-postgres swift test --filter "UTF8Tests|OTLPJSONDecoderTests|RedactionPropertyTests|ArchiveSearchTests|TraceWindowSimulationTests|ArchiveYearTests|ArchiveCrashTests|TailSamplingCrashTests|JournalDamageTests|JournalModelTests|DeliveryStateTests"
	$(PYTHON) -m pytest Tests/SystemTests --numprocesses 2 --dist worksteal
	$(PYTHON) -m pytest Tests/SystemTests -m torture

telemetry-check: $(WEIR) ## look for mistakes in the registry of events
	@$(WEIR) registry check telemetry/metrics.yml

beacon-script: $(VENV)/installed ## make the script that Weir serves to web pages
	$(PYTHON) browser/minify.py

lint: ## check the format of the Swift files
	swift format lint --strict --recursive $(SWIFT_FILES)

format: ## format the Swift files
	swift format --in-place --recursive $(SWIFT_FILES)

clean: ## remove what was built; data/ stays
	rm -rf .build Benchmarks/.build

# Builds the program as well, with checks that the optimised one has not, which takes minutes more.
tests-build: test-packages
	swift build --build-tests

# Begun all at once, two thousand tests wait minutes for the few threads of tasks, and time limits of sockets pass.
unit-tests: tests-build
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16 Tests/with-postgres swift test --skip-build

# Several at a time: a test mostly waits for its programs.
system-tests: tests-build $(VENV)/installed
	WEIR_BINARY=$(CURDIR)/.build/debug/weir $(PYTHON) -m pytest Tests/SystemTests --numprocesses 4 --dist worksteal

# The no-op of `swift build` alone costs more than a start of Weir may take, so make decides what is out of date.
$(WEIR): $(SOURCES) | run-packages
	swift build --configuration release --static-swift-stdlib --product weir
	@touch $@

$(VENV)/installed: $(REQUIREMENTS) | demo-packages
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 --requirement $(REQUIREMENTS)
	@touch $@

# Presidio brings spaCy, which is large, and is there to be compared with only.
$(VENV)-quality/installed: Benchmarks/requirements-quality.txt | demo-packages
	python3 -m venv --clear $(VENV)-quality
	$(VENV)-quality/bin/pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 --requirement $<
	@touch $@

$(VENV)/torture: Tests/SystemTests/requirements-torture.txt $(VENV)/installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 --requirement $<
	@touch $@

# Phoenix is large too, and is there to be sent to only.
$(VENV)-phoenix/installed: Tests/SystemTests/requirements-phoenix.txt | demo-packages
	python3 -m venv --clear $(VENV)-phoenix
	$(VENV)-phoenix/bin/pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 --requirement $<
	@touch $@

run-packages:
	@$(call install,$(RUN_PACKAGES))
test-packages:
	@$(call install,$(TEST_PACKAGES))
torture-packages:
	@$(call install,$(TORTURE_PACKAGES))
demo-packages:
	@$(call install,$(DEMO_PACKAGES))
bench-packages:
	@$(call install,$(BENCH_PACKAGES))
