// Package registry keeps container images: an OCI distribution registry on
// disk, with the repositories and image operations of ECR beside it; images of
// other registries, pulled when they are asked for; and images unpacked into
// directories that overlayfs can use.
//
// Blobs and manifests are files named by their digest; which repository holds
// what, and where tags point, is in store tables. A blob gets its name only
// when it is whole, verified and on disk.
//
// A Registry is safe for concurrent use. It knows nothing of tasks: whoever
// runs an image holds it, and what is held stays unpacked.
package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/registry/remote"
	"neargate/internal/store"
)

// Config configures a registry. Dir, Place and Endpoint are required.
type Config struct {
	Dir      string      // where blobs, uploads and unpacked layers lie
	Place    model.Place // the account is the registry's id
	Endpoint string      // host:port under which clients reach the API; begins every repository URI
	TLS      bool        // clients speak HTTPS to it
	// Lives reports whether the access key that asked for a password is of
	// somebody who still is there; nil takes all.
	Lives func(accessKey string) bool

	MaxBlobBytes     int64 // of one layer as pushed; 0: 10 GiB
	MaxUnpackedBytes int64 // of one layer unpacked; 0: 40 GiB

	// Filter is the seccomp program of the processes that unpack layers; nil: none.
	Filter []byte

	// Remote is how other registries are asked.
	Remote remote.Config
	// MaxPulledBytes is how much disk the images of other registries may take; more
	// stays only while it is in use. 0: 20 GiB.
	MaxPulledBytes int64
	// Named returns the digests of the images that deployments name, which stay
	// although no task runs them; nil: none.
	Named func() map[string]bool
}

// maxUnpacking bounds the layers that are unpacked at once: each may take some
// hundred megabytes of memory.
const maxUnpacking = 8

// maxManifestBytes is the limit that registries commonly set on manifests.
const maxManifestBytes = 4 << 20

func (c *Config) complete() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("registry: Dir is empty"))
	}
	if c.Place.Account == "" || c.Place.Region == "" {
		errs = append(errs, errors.New("registry: Place is empty"))
	}
	if c.Endpoint == "" {
		errs = append(errs, errors.New("registry: Endpoint is empty"))
	}
	if c.Lives == nil {
		c.Lives = func(string) bool { return true }
	}
	if c.MaxBlobBytes == 0 {
		c.MaxBlobBytes = 10 << 30
	}
	if c.MaxUnpackedBytes == 0 {
		c.MaxUnpackedBytes = 40 << 30
	}
	if c.MaxPulledBytes == 0 {
		c.MaxPulledBytes = 20 << 30
	}
	if c.Named == nil {
		c.Named = func() map[string]bool { return nil }
	}
	return errors.Join(errs...)
}

// Registry is an open registry.
type Registry struct {
	// Immutable after Open.
	cfg    Config
	log    *slog.Logger
	secret []byte           // signs tokens
	now    func() time.Time // replaced in tests only
	wake   chan struct{}    // asks Run to collect
	// unpacking has a place for each layer that may be unpacked at once.
	unpacking chan struct{}

	repos  *store.Table[model.Repository] // by name
	images *store.Table[image]            // by repository@digest
	tags   *store.Table[tag]              // by repository:tag
	links  *store.Table[link]             // blobs of a repository, by repository@digest
	rootfs *store.Table[unpacked]         // by manifest digest

	remote    *remote.Client
	pulled    *store.Table[pulled]   // images of other registries, by manifest digest
	names     *store.Table[name]     // what tags of theirs named last, by full name
	endpoints *store.Table[endpoint] // where this registry has listened

	uploads uploads
	fetches fetches

	// mu orders every change of what refers to what, over the tables above,
	// the maps below and the removal of files. Reading a table needs no lock.
	mu    sync.Mutex
	holds map[string]int  // by manifest digest: how many use it unpacked
	pins  map[string]*pin // by chain ID: layers of unpacks under way
	// guarded counts, by digest, who brings a blob of an image that is not recorded yet.
	guarded map[string]int
	// used is when a task last started from an image that came from elsewhere, by
	// manifest digest. What is on disk is older, by noteEvery at most.
	used map[string]time.Time
}

// link is the record of a blob that a repository holds.
type link struct {
	Digest string
	Size   int64
	At     time.Time
}

// endpoint is a HOST:PORT under which clients have reached the registry.
type endpoint struct {
	Host string
}

// tag is where a tag points.
type tag struct {
	Name, Digest string
}

// Open opens or creates the registry under cfg.Dir. Uploads that the last
// process left are removed; so are layers unpacked before the machine last
// booted, which were never synced to disk and are made again when needed.
func Open(ctx context.Context, db *store.DB, cfg Config, log *slog.Logger) (*Registry, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r := &Registry{
		cfg: cfg, log: log, now: time.Now, wake: make(chan struct{}, 1),
		unpacking: make(chan struct{}, min(max(2, runtime.GOMAXPROCS(0)), maxUnpacking)),
		holds:     map[string]int{}, pins: map[string]*pin{}, guarded: map[string]int{}, used: map[string]time.Time{},
		remote: remote.New(cfg.Remote),
	}
	r.fetches.open = map[string]*fetch{}
	r.uploads.open = map[string]*upload{}
	if err := r.openTables(ctx, db); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	if err := r.prepareDirs(ctx); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	return r, nil
}

func (r *Registry) openTables(ctx context.Context, db *store.DB) error {
	secrets, err := store.NewTable[[]byte](db, "registry_secret")
	if err != nil {
		return err
	}
	r.secret, err = secrets.Update(ctx, "token", func(cur []byte, exists bool) ([]byte, error) {
		if exists {
			return cur, nil
		}
		key := make([]byte, 32)
		_, err := rand.Read(key)
		return key, err
	})
	if err != nil {
		return err
	}
	var errs [8]error
	r.repos, errs[0] = store.NewTable[model.Repository](db, "registry_repositories")
	r.images, errs[1] = store.NewTable[image](db, "registry_images")
	r.tags, errs[2] = store.NewTable[tag](db, "registry_tags")
	r.links, errs[3] = store.NewTable[link](db, "registry_blobs")
	r.rootfs, errs[4] = store.NewTable[unpacked](db, "registry_rootfs")
	r.pulled, errs[5] = store.NewTable[pulled](db, "registry_pulled")
	r.names, errs[6] = store.NewTable[name](db, "registry_names")
	r.endpoints, errs[7] = store.NewTable[endpoint](db, "registry_endpoints")
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return r.noteEndpoint(ctx)
}

// noteEndpoint records where clients reach the registry from now on.
func (r *Registry) noteEndpoint(ctx context.Context) error {
	if r.wasOurs(r.cfg.Endpoint) {
		return nil // a start that changes nothing writes nothing
	}
	return r.endpoints.Put(ctx, r.cfg.Endpoint, endpoint{Host: r.cfg.Endpoint})
}

func (r *Registry) prepareDirs(ctx context.Context) error {
	for _, dir := range []string{"gone", "blobs", "layers", "tmp"} {
		if err := os.MkdirAll(r.path(dir), 0o700); err != nil {
			return err
		}
	}
	if err := r.empty("tmp"); err != nil {
		return err
	}
	return r.dropLayersOfEarlierBoot(ctx)
}

// bootMark is the file among the layers that holds the boot they are of.
const bootMark = "boot-id"

// dropLayersOfEarlierBoot empties the layers directory when it was written
// before the machine last booted. No task outlives a boot, so none uses them.
func (r *Registry) dropLayersOfEarlierBoot(ctx context.Context) error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		boot = []byte(rand.Text()) // unknown: take it for another boot
	}
	mark := r.path("layers", bootMark)
	if last, err := os.ReadFile(mark); err == nil && string(last) == string(boot) {
		return nil
	}
	for _, u := range r.rootfs.List("") {
		if _, err := r.rootfs.Delete(ctx, u.Digest); err != nil {
			return err
		}
	}
	if err := r.empty("layers"); err != nil {
		return err
	}
	return writeMark(mark, boot)
}

// empty throws away what a directory of the registry holds, except layers'
// mark. The directory itself stays: a new one takes a block, which a full disk
// does not have.
func (r *Registry) empty(dir string) error {
	entries, err := os.ReadDir(r.path(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == bootMark {
			continue
		}
		if err := r.throwAway(r.path(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// writeMark writes over the file in the block that it has, for the same reason.
func writeMark(path string, boot []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(boot)
	return errors.Join(err, f.Truncate(int64(len(boot))), f.Close())
}

func (r *Registry) path(parts ...string) string {
	return filepath.Join(append([]string{r.cfg.Dir}, parts...)...)
}
