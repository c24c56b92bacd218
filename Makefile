# Perch. Each target first installs what it needs and the machine lacks, from
# Debian packages (scripts/install-deps.sh says which).
# make help lists the targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BUILD   := go build -buildvcs=false -ldflags '-X main.stamped=$(VERSION)'
TOOL    := go tool -modfile=tools/go.mod
FUZZ    ?= 30s
SOAK    ?= 30m
PROCS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help run build test bench soak lint fuzz clean

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

run: ## builds Perch and runs the demo: a server, twelve virtual phones, a login every few seconds
	@scripts/install-deps.sh run
	@scripts/prompts.sh
	@$(BUILD) -o bin/perch ./cmd/perch
	@bin/perch demo

build: ## builds bin/perch
	@scripts/install-deps.sh build
	@scripts/prompts.sh
	$(BUILD) -o bin/perch ./cmd/perch

test: ## vets the code and runs the whole suite with the race detector
	@scripts/install-deps.sh test
	@scripts/prompts.sh
	go vet ./...
	CGO_ENABLED=1 go test -race -count=1 -timeout 15m -p $(PROCS) ./...

bench: ## measures: every Go benchmark, logins, a mixed fleet, files beside nginx, REGISTER and calls beside Kamailio, an avalanche of 20,000 phones
	@scripts/install-deps.sh bench
	@scripts/prompts.sh
	@go build -buildvcs=false -o bin/bench ./test/bench
	go test -run '^$$' -bench . -benchmem -timeout 30m -p 1 ./... | bin/bench table
	bin/bench logins
	bin/bench fleet -phones 5000
	bin/bench fleet -phones 2000 -faulty 0 -delays 1
	bin/bench files
	bin/bench refresh
	bin/bench lamps
	bin/bench calls
	bin/bench lossy
	bin/bench avalanche

soak: ## half load with faults for $(SOAK) (SOAK=5m for less): what does the process hold afterwards?
	@scripts/install-deps.sh bench
	@scripts/prompts.sh
	@go build -buildvcs=false -o bin/bench ./test/bench
	bin/bench soak -for $(SOAK)

lint: ## gofumpt, vet, staticcheck
	@scripts/install-deps.sh build
	@unformatted=$$($(TOOL) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "gofumpt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...

fuzz: ## runs each fuzz target for $(FUZZ) (FUZZ=2m for longer)
	@scripts/install-deps.sh build
	@scripts/fuzz.sh $(FUZZ)

clean: ## removes what was built; data stays
	rm -rf bin test/browser/node_modules sip/media/prompts/files/*/
