package app

import (
	"context"
	"log/slog"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/registry"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local"
)

// Engines opens engines of one kind.
type Engines interface {
	// Check reports what is missing for engines of this kind to work here.
	Check() error
	// Open returns the engine of the server with these parts.
	Open(ctx context.Context, parts EngineParts) (runtime.Engine, error)
	// Cleanup removes the tasks and all else that the engine of a data directory
	// has outside it. No server may be running on it.
	Cleanup(ctx context.Context, data string) error
}

// EngineParts is what an engine gets from its server.
type EngineParts struct {
	Data      string         // the server's data directory
	Ephemeral bool           // nothing is worth keeping when the server dies
	Reach     firewall.Reach // how far tasks reach, whatever their security groups allow
	SELinux   bool           // each task gets SELinux labels of its own
	Domain    string         // of tasks' host names
	Images    *registry.Registry
	Logs      runtime.LogSink
	Log       *slog.Logger
}

// Local opens engines that run tasks as containers of this machine.
type Local struct{}

// Check returns a *local.Missing where containers cannot run.
func (Local) Check() error { return local.Check() }

// Open takes over what the last server on the data directory left running.
func (Local) Open(ctx context.Context, p EngineParts) (runtime.Engine, error) {
	e, err := local.Open(ctx, local.Config{DataDir: p.Data, Ephemeral: p.Ephemeral, Reach: p.Reach, SELinux: p.SELinux, Domain: p.Domain}, localImages{p.Images}, p.Logs, p.Log)
	if err != nil {
		return nil, err // no engine, rather than one that is nil
	}
	return e, nil
}

// Cleanup kills the tasks and removes cgroups, links and tables.
func (Local) Cleanup(ctx context.Context, data string) error { return local.Cleanup(ctx, data) }

// localImages is what the local engine asks of the registry.
type localImages struct{ *registry.Registry }

// Resolve returns the digest that the reference names now.
func (i localImages) Resolve(ctx context.Context, image runtime.Image) (string, error) {
	return i.Registry.Resolve(ctx, reference(image), image.Credential, image.Architecture)
}

// Unpack makes the image's layers ready for overlayfs.
func (i localImages) Unpack(ctx context.Context, image runtime.Image) (local.Rootfs, func(), error) {
	fs, release, err := i.Registry.Unpack(ctx, reference(image), image.Credential, image.Architecture)
	return local.Rootfs(fs), release, err
}

func reference(image runtime.Image) string {
	if image.Digest == "" {
		return image.Reference
	}
	return model.PinnedImage(image.Reference, image.Digest)
}
