GO ?= go
KILLS ?= 250
FLEET ?= 500
SEED ?= 1
FUZZTIME ?= 20s
RESCTL_TERRAFORM ?= 1000

help: ## Shows this help
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: ## Runs all tests
	$(GO) test ./...

race: ## Runs all tests with the race detector
	$(GO) test -race ./...

bench: ## Holds the product against bare limits, and Terraform where it is; RESCTL_TERRAFORM: how many it plans
	@command -v terraform >/dev/null || echo "NO TERRAFORM: Start and Terraform are left out"
	@RESCTL_TERRAFORM=$(RESCTL_TERRAFORM) $(GO) test ./bench -run '^$$' -bench . -benchtime 3x -timeout 120m | awk -f bench/table.awk

kill: ## Kills resctl KILLS times at random moments
	$(GO) test ./kill -count=1 -v -kills $(KILLS) -timeout 60m

day: ## A simulated day of FLEET stations, in virtual time
	$(GO) test ./day -count=1 -v -fleet $(FLEET) -seed $(SEED) -timeout 60m

fuzz: ## Runs every fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
		echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; done; done

interop: ## Tests against peers that share no code with ours; wants npm
	@command -v npm >/dev/null || echo "NO NPM: tests against the schemas and the JavaScript station are skipped"
	cd interop && $(GO) test -count=1 ./...

ci: ## What every change has to pass
	.ci/run

.PHONY: help test race bench kill day fuzz interop ci
