# Everything here is a plain go command; this file only saves typing.

.PHONY: build test test-vm race lint bench

build:
	go build -o bin/neargate ./cmd/neargate

# Every test, also those on real containers (root), clients and browsers that
# are installed; the rest is skipped, and listed at the end.
test:
	go vet ./...
	go tool -modfile=tools/go.mod gotestsum --format pkgname -- ./...

# Tests of what depends on the kernel, on Debian's own with cgroup v2, in an
# emulated machine.
test-vm:
	go tool -modfile=tools/go.mod gotestsum --format pkgname --raw-command -- go run ./test/vm

race:
	go test -race ./...

lint:
	go tool -modfile=tools/go.mod golangci-lint run

bench:
	go run ./bench/start
	go run ./bench/proxy
	go run ./bench/step
	go run ./bench/budget
	go run ./bench/services
