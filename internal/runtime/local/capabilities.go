package local

import (
	"context"
	goruntime "runtime"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// Capabilities returns what tasks can have of this machine.
func (e *Engine) Capabilities() runtime.Capabilities {
	return runtime.Capabilities{
		CPUUnits: 1024 * goruntime.NumCPU(), MemoryMiB: e.memoryMiB, Network: e.net.Subnet(),
		EphemeralLimit: true,
	}
}

// Architectures returns this machine's, and those for which the kernel has an
// emulator.
func (e *Engine) Architectures() []model.Architecture {
	own := model.Architecture(goruntime.GOARCH)
	out := []model.Architecture{own}
	for _, a := range emulated(e.cfg.Binfmt) {
		if a != own {
			out = append(out, a)
		}
	}
	return out
}

// memoryMiB reads how much memory the machine has.
func memoryMiB() (int, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, err
	}
	return int(uint64(info.Totalram) * uint64(info.Unit) >> 20), nil //nolint:unconvert // narrower on 32-bit machines
}

// Resolve returns the digest that the image's reference names now.
func (e *Engine) Resolve(ctx context.Context, image runtime.Image) (string, error) {
	var digest string
	err := e.guard(image.Reference, func() (err error) {
		digest, err = e.images.Resolve(ctx, image)
		return err
	})
	if err != nil {
		return "", e.discreet.err(pullError(err))
	}
	return digest, nil
}
