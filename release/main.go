// Command release makes what is published: programs for amd64 and arm64, Debian
// packages, a container image as an OCI archive and for "docker load", and
// checksums of all. It needs Debian's gcc, gcc-aarch64-linux-gnu with
// libc6-dev-arm64-cross (for arm64), and dpkg-deb.
// The same sources and tools make the same bytes.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	r := release{}
	flag.StringVar(&r.dir, "out", "dist", "directory for the results, made anew")
	flag.StringVar(&r.version, "version", "", "version to stamp, such as v1.2.3")
	archs := flag.String("arch", "amd64,arm64", "architectures, separated by commas")
	flag.Parse()
	r.archs = strings.Split(*archs, ",")
	if err := r.make(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is one version.
type release struct {
	dir     string
	version string
	archs   []string  // as Go calls them
	when    time.Time // of everything inside
}

// program is neargate, built for one architecture.
type program struct {
	arch string // as Go, Debian and OCI call it
	file string
}

func (r release) make(ctx context.Context) error {
	if r.version == "" {
		return fmt.Errorf("name the version: -version v1.2.3")
	}
	r.when = commitTime(ctx)
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	var programs []program
	for _, arch := range r.archs {
		p, err := r.build(ctx, arch)
		if err != nil {
			return err
		}
		if err := r.writeDeb(ctx, p); err != nil {
			return err
		}
		if err := r.writeDockerImage(filepath.Join(r.dir, "neargate-"+r.version+"-"+arch+".docker.tar"), p); err != nil {
			return err
		}
		programs = append(programs, p)
	}
	if err := r.writeImage(filepath.Join(r.dir, "neargate-"+r.version+".oci.tar"), programs); err != nil {
		return err
	}
	return r.writeChecksums()
}

// commitTime is when the sources were committed, so that a release of them is
// the same whenever it is made. Sources without git are of 1970.
func commitTime(ctx context.Context) time.Time {
	out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release: git does not know the time of the commit:", err)
		return time.Unix(0, 0).UTC()
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	return time.Unix(seconds, 0).UTC()
}

// compiler is the C compiler for an architecture.
func compiler(arch string) string {
	if arch == "arm64" {
		return "aarch64-linux-gnu-gcc"
	}
	return "x86_64-linux-gnu-gcc"
}

// build links statically and independent of its position, with all relocations
// done before the program runs. Symbols stay: by them the program makes lighter
// copies of itself for tasks.
func (r release) build(ctx context.Context, arch string) (program, error) {
	p := program{arch, filepath.Join(r.dir, "neargate-linux-"+arch)}
	fmt.Fprintln(os.Stderr, "release: building", p.file)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags=netgo,osusergo", "-buildmode=pie",
		"-ldflags=-w -X neargate/internal/cli.stamped="+r.version+` -linkmode=external -extldflags "-static-pie -Wl,-z,relro,-z,now"`,
		"-o", p.file, "neargate/cmd/neargate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux", "GOARCH="+arch, "CC="+compiler(arch))
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build for %s: %w\n%s", arch, err, out)
	}
	return p, nil
}

// writeChecksums writes what sha256sum --check reads.
func (r release) writeChecksums() error {
	files, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(r.dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), f.Name())
	}
	return os.WriteFile(filepath.Join(r.dir, "SHA256SUMS"), []byte(b.String()), 0o644)
}
