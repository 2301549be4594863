# `make help` lists the targets. TOOLS holds what is installed once: cargo-nextest, cargo-deny, a Python venv.
TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ironic-tools
VENV := $(TOOLS)/venv
export PATH := $(TOOLS)/bin:$(PATH)
export IRONIC_TEST_VENV := $(VENV)
CARGO ?= cargo
ARGS ?=

.PHONY: help demo test unit peers lint bench bench-vs fmt deny floors map sizes contracts purity docs diagram recordings fleet fleet-search fleet-bugs fleet-check

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## machines from enrolment to a running system, over the real protocols (ARGS="--machines 25 --keep", ARGS="--tour")
	@$(CARGO) run --quiet --locked -p ironic-quickstart -- $(ARGS)

test: peers $(TOOLS)/bin/cargo-nextest ## everything that CI tests; installs what it needs
	$(CARGO) nextest run --locked --workspace --all-features
	$(CARGO) test --locked --workspace --all-features --doc --quiet
	@$(MAKE) --no-print-directory fleet-check
	@$(CARGO) nextest run --locked --workspace --all-features -E 'binary(vectors)' --success-output immediate --status-level none --final-status-level none 2>&1 | grep -oE '[a-z_]+\.json: .*cases|skipped: .*' | sort -u

peers: ## the real peers that tests talk to
	@.ci/peers "$(VENV)"

$(TOOLS)/bin/cargo-nextest:
	@command -v cargo-nextest >/dev/null || $(CARGO) install --locked --root $(TOOLS) cargo-nextest
	@mkdir -p $(TOOLS)/bin && { test -e $@ || ln -sf "$$(command -v cargo-nextest)" $@; }

$(TOOLS)/bin/cargo-deny:
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked --root $(TOOLS) cargo-deny
	@mkdir -p $(TOOLS)/bin && { test -e $@ || ln -sf "$$(command -v cargo-deny)" $@; }

lint: fmt floors map sizes contracts purity docs deny ## formatting, clippy, docs, floors, file sizes, contracts, licences
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --workspace --no-default-features -- -D warnings

fmt:
	$(CARGO) fmt --all --check

floors: ## a room imports only from floors below its own (the table in ARCHITECTURE.md)
	@python3 .ci/floors.py ARCHITECTURE.md ironic-core/src

map: ## every conductor method and periodic task of the original is in ARCHITECTURE.md, and the files named there exist
	@python3 .ci/map.py ARCHITECTURE.md ironic-core/tests/vectors/api_surface.json

sizes: ## no Rust file past 800 lines
	@python3 .ci/sizes.py

contracts: ## every public trait of ironic-core has its contract written down, and says by what it is checked
	@python3 .ci/contracts.py ironic-core/src

purity: ## default ironic-core carries no HTTP, SQL or TLS crate
	@CARGO="$(CARGO)" .ci/purity

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --all-features --no-deps --quiet

deny: $(TOOLS)/bin/cargo-deny
	@$(CARGO) fetch --locked --quiet
	$(CARGO) deny --locked --offline --log-level error check bans licenses sources

bench: ## how fast it is, into the README's table and plots
	@benches/peers/install "$(VENV)"
	$(CARGO) build --release --locked -p ironic-standalone
	IRONIC_BENCH_REPORT="$(CURDIR)" $(CARGO) bench --locked -p ironic-benches --bench rates

bench-vs: ## beside the original, Ironic 39 from PyPI, in one run; and with 200 clients: into the README
	@benches/versus/install "$(TOOLS)/ironic39"
	$(CARGO) build --release --locked -p ironic-standalone
	IRONIC_ORIGINAL="$(TOOLS)/ironic39" IRONIC_BENCH_REPORT="$(CURDIR)" $(CARGO) bench --locked --no-fail-fast -p ironic-benches --bench versus --bench load

SEED ?= 1
SEEDS ?= 200
NODES ?= 200
CONDUCTORS ?= 5
FLEET = $(CARGO) run --quiet --release --locked -p ironic-core --features testing --example fleet -- --seed $(SEED) --nodes $(NODES) --conductors $(CONDUCTORS)

fleet: ## a whole fleet from one seed (SEED=7 NODES=200 CONDUCTORS=5; TRACE=3 tells one node's story, BUG=name puts a defect back)
	@$(FLEET) $(if $(TRACE),--trace $(TRACE)) $(if $(BUG),--bug $(BUG))

fleet-search: ## looks for a seed that fails (SEEDS=200, from SEED on), and simulates the first twice
	@$(FLEET) --search $(SEEDS) $(if $(BUG),--bug $(BUG))

fleet-bugs: ## puts each known defect back, and expects it to be found within SEEDS
	@$(FLEET) --search $(SEEDS) --bugs

fleet-check: fleet-search fleet-bugs ## both of these

diagram: ## the pictures that code draws: states.svg from the transition table, placement.svg from a ring
	$(CARGO) run --quiet --locked -p ironic-core --example states_svg > states.svg
	$(CARGO) run --quiet --locked -p ironic-hashring --example placement > placement.svg.new
	mv placement.svg.new ironic-hashring/placement.svg

RECORD = $(CARGO) run --quiet --locked -p ironic-recordings --
FLEET_SHOWN = make fleet SEED=7 NODES=200 CONDUCTORS=5
draw = $(RECORD) svg "$(2)" < target/$(1).txt > target/$(1).svg && mv target/$(1).svg docs/$(1).svg

recordings: ## what the README shows of a terminal, remade from what programs print: docs/*.svg
	@mkdir -p docs target
	$(RECORD) plan > target/plan.txt
	$(RECORD) plan-undeploy > target/plan-undeploy.txt
	$(RECORD) explain > target/explain.txt
	@$(MAKE) --quiet fleet NODES=1 CONDUCTORS=1 > /dev/null # What follows shows no compiler.
	env -u MAKELEVEL -u MAKEFLAGS script --quiet --return --command '$(FLEET_SHOWN)' /dev/null > target/fleet.txt
	$(call draw,plan,)
	$(call draw,plan-undeploy,)
	$(call draw,explain,)
	$(call draw,fleet,$(FLEET_SHOWN))
