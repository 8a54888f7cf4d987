# Everything here is a plain go command; this file only saves typing.

.PHONY: build check test race lint tidy vuln test-vm release bench

version = $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || echo v0.0.0-$$(git rev-parse --short HEAD 2>/dev/null || echo unknown))
tool = go tool -modfile=tools/go.mod
# Tests of real containers leave their work to processes that are not theirs: the
# race detector would see little and cost much.
unraced = /runtime/local$$|/test/scenario$$|/test/script$$

build:
	go build -ldflags='-X neargate/internal/cli.stamped=$(version)' -o bin/neargate ./cmd/neargate

# All that must hold before a change is accepted.
check: tidy lint vuln test race test-vm release

# Every test, also those on real containers (root), clients and browsers that
# are installed; the rest is skipped, and listed at the end.
test:
	go vet ./...
	$(tool) gotestsum --format pkgname -- -timeout 30m -shuffle=on ./...

race:
	$(tool) gotestsum --format pkgname -- -race -shuffle=on $$(go list ./... | grep -Ev '$(unraced)')

lint:
	$(tool) golangci-lint run

# Both modules list what they use, and no more.
tidy:
	go mod tidy -diff
	cd tools && go mod tidy -diff

# Known vulnerabilities in what the program calls.
vuln:
	@if curl -sfm 20 -o /dev/null https://vuln.go.dev/index/db.json; \
	then $(tool) govulncheck ./...; \
	else echo "SKIPPED vuln: its database at vuln.go.dev cannot be reached from here"; fi

# Tests of what depends on the kernel, on Debian's own with cgroup v2, in an
# emulated machine.
test-vm:
	$(tool) gotestsum --format pkgname --raw-command -- go run ./test/vm

# Programs for amd64 and arm64, packages, a container image and checksums. The
# program for arm64 is started where QEMU can; its tests are not run.
release:
	go run ./release -version $(version)
	dist/neargate-linux-amd64 version
	@if command -v qemu-aarch64-static >/dev/null; \
	then qemu-aarch64-static dist/neargate-linux-arm64 version; \
	else echo "SKIPPED start of the program for arm64: needs qemu-user-static"; fi

bench:
	go run ./bench/start
	go run ./bench/metadata
	go run ./bench/pull
	go run ./bench/proxy
	go run ./bench/step
	go run ./bench/budget
	go run ./bench/services
