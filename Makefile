# The front door. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PREFIX ?= /usr/local

# What the build links, what the tests and the demo drive, and nothing else.
BUILD_PACKAGES := libyaml-dev libseccomp-dev libnl-3-dev libnl-route-3-dev zlib1g-dev libzstd-dev pkg-config
TEST_PACKAGES := busybox-static iproute2 nftables netcat-openbsd curl python3 util-linux procps conntrack \
    docker-registry openssl
DEMO_PACKAGES := mmdebstrap curl

RELEASE := .build/release
BINARY := $(RELEASE)/swcompose

.PHONY: help deps build test integration demo demo-down bench schema fuzz lint format install clean

help:
	@echo "make deps     install the Debian packages that build, tests and demo need"
	@echo "make build    build swcompose and swcompose-shim (release, standard library linked in)"
	@echo "make test     build everything and run all tests (as root: the integration tests too)"
	@echo "make demo     build, make the example's image, bring examples/webstack up and fetch its page"
	@echo "make bench    compare with docker compose where that is found, alone where it is not"
	@echo "make schema   write schemas/compose.json anew from the table of rules"
	@echo "make fuzz     fuzz the parsers and the loader for FUZZ_SECONDS (600); what is found is kept in .build/fuzz"
	@echo "make lint     swift format lint --strict"
	@echo "make install  copy the two programs to PREFIX ($(PREFIX))"

deps:
	@missing=; for package in $(BUILD_PACKAGES) $(TEST_PACKAGES) $(DEMO_PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	    $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi

# The C libraries in their static form only, where the linker looks first: the program then needs nothing of the host
# but the C library itself, and starts without looking for eight files. `stdc++` is what the Swift library needs.
STATIC := $(abspath .build/static)
STATIC_LIBRARIES := yaml seccomp nl-3 nl-route-3 z zstd stdc++
COMPILER := $(firstword $(foreach name,clang cc gcc,$(shell command -v $(name))))
STATIC_PACKAGES := yaml-0.1 libseccomp libnl-3.0 libnl-route-3.0 zlib libzstd

$(STATIC): | deps
	mkdir -p $@
	for library in $(STATIC_LIBRARIES); do ln -sf "$$($(COMPILER) -print-file-name=lib$$library.a)" $@/; done
	for package in $(STATIC_PACKAGES); do sed 's|^libdir=.*|libdir=$@|' \
	    "$$(pkg-config --variable=pcfiledir $$package)/$$package.pc" > $@/$$package.pc; done

# Two invocations, because the shim is Embedded Swift and knows no static standard library to link.
build: deps $(STATIC)
	swift build -c release --scratch-path .build-shim --product swcompose-shim
	PKG_CONFIG_PATH=$(STATIC) swift build -c release --static-swift-stdlib --product swcompose -Xlinker -L$(STATIC)
	install -m 755 .build-shim/release/swcompose-shim $(RELEASE)/swcompose-shim

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

test: deps lint
	swift build --build-tests
	swift build --product swcompose-shim
	$(SUDO) env PATH="$$PATH" swift test --skip-build

demo: build
	examples/webstack/make-image $(abspath $(BINARY))
	$(SUDO) $(BINARY) -f examples/webstack/compose.yaml up -d
	@echo; echo "--- http://localhost:$${WEBSTACK_PORT:-8080}/"
	@curl --fail --silent --show-error --max-time 10 http://localhost:$${WEBSTACK_PORT:-8080}/
	@echo; $(SUDO) $(BINARY) -f examples/webstack/compose.yaml ps
	@echo; echo "Look further:    $(BINARY) -f examples/webstack/compose.yaml logs -f"
	@echo "                 $(BINARY) -f examples/webstack/compose.yaml exec db psql -h /run/postgresql -U postgres guestbook"
	@echo "Take it down:    make demo-down     (or: $(BINARY) -f examples/webstack/compose.yaml down -v)"

demo-down:
	$(SUDO) $(BINARY) -f examples/webstack/compose.yaml down -v

bench: build
	$(SUDO) python3 bench/bench.py --swcompose $(abspath $(BINARY)) $(BENCH_FLAGS)

schema: deps
	swift build --product compose-schema
	.build/debug/compose-schema > schemas/compose.json.new
	mv schemas/compose.json.new schemas/compose.json

fuzz: deps
	fuzz/fuzz.sh

install: build
	install -D -m 755 $(RELEASE)/swcompose $(DESTDIR)$(PREFIX)/bin/swcompose
	install -D -m 755 $(RELEASE)/swcompose-shim $(DESTDIR)$(PREFIX)/libexec/swcompose/swcompose-shim

clean:
	rm -rf .build .build-shim
