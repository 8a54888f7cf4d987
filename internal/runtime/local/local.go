// Package local runs tasks as containers of this machine: OCI image layers on
// overlayfs, own namespaces, enforced CPU and memory, Docker's default hardening,
// an address of its own.
//
// It keeps the contract of package runtime. The engine keeps no task alive
// itself: each has a supervisor, a process of its own (package supervisor), which
// outlives the engine. All that the engine knows of a task lies below
// Config.DataDir/runtime, so that after a restart it takes over the tasks that
// run and returns those that ended meanwhile from Recover. What it creates
// outside that directory (cgroups, links, a packet filter, /run/neargate) carries
// the instance's ID, and Cleanup removes it.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/probe"
	"neargate/internal/runtime/local/supervisor"
)

// Dispatch turns this process into a task's supervisor, the first process of a
// container, or a probe of the machine, when its arguments ask for that, and then
// does not return. main calls it before anything else.
func Dispatch() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case supervisor.Argument:
		os.Exit(supervisor.Main()) //nolint:forbidigo // a process of its own, which main handed over
	case probe.Argument:
		os.Exit(probe.Main(os.Args[2:], os.Stdout, os.Stderr)) //nolint:forbidigo // a process of its own, which main handed over
	case supervisor.ProbeArgument:
		os.Exit(0) //nolint:forbidigo // as above
	case supervisor.NamespaceArgument:
		supervisor.KeepNamespace()
		os.Exit(0) //nolint:forbidigo // as above
	case supervisor.HolderArgument:
		os.Exit(supervisor.Hold()) //nolint:forbidigo // as above
	case supervisor.InitArgument:
		if os.Getenv("_LIBCONTAINER_INITPIPE") != "" { //nolint:forbidigo // libcontainer's own message
			supervisor.Init()
		}
	}
}

// Rootfs is an unpacked image.
type Rootfs struct {
	Digest string   // of the manifest, "sha256:…"
	Layers []string // directories for overlayfs, lowest first
	Config model.ImageConfig
}

// Validate returns everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if !filepath.IsAbs(c.DataDir) {
		errs = append(errs, fmt.Errorf("DataDir %q is not absolute", c.DataDir))
	}
	if c.Reach != "" {
		if _, err := firewall.ParseReach(string(c.Reach)); err != nil {
			errs = append(errs, fmt.Errorf("reach of tasks: %w", err))
		}
	}
	return errors.Join(errs...)
}

// images is what the engine needs of a registry.
type images interface {
	runtime.Resolver
	// Unpack makes the layers of an image usable as overlayfs lower directories:
	// those of its digest, or of what its reference names now where it has none.
	// They stay until release is called.
	Unpack(ctx context.Context, image runtime.Image) (fs Rootfs, release func(), err error)
	// Hold keeps the layers of an image that was unpacked before a restart.
	Hold(digest string) (release func(), err error)
}

// Config is what an engine must be told. DataDir is required.
type Config struct {
	DataDir   string // absolute; the engine keeps to DataDir/runtime
	Ephemeral bool   // everything, DataDir included, may go once the process is dead
	// Reach is how far tasks reach, whatever their security groups allow; "" is
	// firewall.ReachLAN.
	Reach firewall.Reach
	// SELinux gives each task labels of its own.
	SELinux bool
	// Domain is that of tasks' host names, in which they look for names without
	// dots; "" is ec2.internal.
	Domain string
	// Binfmt is where the kernel lists the interpreters of programs for other
	// machines; "" is /proc/sys/fs/binfmt_misc.
	Binfmt string
}
