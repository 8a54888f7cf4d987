// Command vm runs tests on Debian's own kernel, with cgroup v2, in a virtual
// machine of QEMU: what the kernel of the machine at hand cannot show. It needs
// Debian's apt-get, qemu-system-x86, busybox-static and root; where one is
// missing, that is one skipped test, by name. Results are written to standard
// output as "go test -json" does.
//
//	go run ./test/vm | less
//	go run ./test/vm -run TestRunAndStop ./internal/runtime/local
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// skip is a reason why no machine can be started here.
type skip struct{ reason string }

func (s skip) Error() string { return s.reason }

// options are the command line.
type options struct {
	cache    string
	timeout  time.Duration
	run      string
	packages []string
}

func main() {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	o := options{}
	flag.StringVar(&o.cache, "cache", filepath.Join(cache, "neargate-vm"), "directory that keeps the kernel and other packages for the next time")
	flag.DurationVar(&o.timeout, "timeout", 20*time.Minute, "how long the machine may run")
	flag.StringVar(&o.run, "run", "", "run only tests that match")
	flag.Parse()
	o.packages = flag.Args()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	err = run(ctx, o)
	if missing, ok := errors.AsType[skip](err); ok {
		err = skipped(os.Stdout, missing.reason)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if err := needs(); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "neargate-vm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	kernel, err := findKernel(ctx, o.cache)
	if err != nil {
		return err
	}
	m := machine{kernel: kernel.image, initrd: filepath.Join(work, "initrd"), disk: filepath.Join(work, "disk"), console: filepath.Join(work, "console")}
	if err := furnish(ctx, filepath.Join(work, "root"), kernel, o); err != nil {
		return err
	}
	if err := writeInitramfs(m.initrd, filepath.Join(work, "root")); err != nil {
		return err
	}
	if err := makeDisk(ctx, m.disk, filepath.Join(work, "root")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("the machine ran for more than %v", o.timeout))
	defer cancel()
	return m.boot(ctx, os.Stdout)
}

// furnish puts onto the machine's disk-to-be what it runs.
func furnish(ctx context.Context, root string, k kernel, o options) error {
	if err := installSystem(root); err != nil {
		return err
	}
	if err := k.installModules(ctx, root); err != nil {
		return err
	}
	if err := installParser(ctx, root, o.cache); err != nil {
		return err
	}
	return installTests(ctx, root, o)
}
