# The door: each target does its own set-up. `make` alone lists them.
PORT_OFFSET ?= 0
DATA_DIR ?= data

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## install what is missing, build, start everything and run the demo on real market data
	@PORT_OFFSET=$(PORT_OFFSET) DATA_DIR=$(DATA_DIR) YES=$(YES) tools/up.sh

build: ## build the release binary: build/release/bin/alphaswarm
	@YES=1 tools/build.sh

test: ## build and pass every test
	@tools/test.sh

interop: ## build a real OpenTelemetry Collector and compare with it
	@tools/test.sh setup release interop

bench-sdk: ## measure the SDK and hold the numbers against what they must be (about 2 minutes, idle machine)
	@tools/bench_sdk.sh

package-test: ## install the Debian packages on a clean Debian 12 (needs root)
	@tools/test.sh setup release package

docs: ## make the reference pages from the program
	@YES=1 tools/build.sh && python3 tools/docs.py build/release/bin/alphaswarm

format: ## format the C++ sources
	@git ls-files '*.hpp' '*.cpp' | xargs clang-format-19 -i

tidy: ## run clang-tidy over the release build
	@tools/tidy.sh

clean: ## remove what was built (not the data)
	rm -rf build webui/dist webui/node_modules

.PHONY: help up build test interop bench-sdk package-test docs format tidy clean
