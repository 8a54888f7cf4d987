package registry

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/registry/remote"
)

// fetchIdle is how long the beginning of a blob waits for somebody to go on with
// it.
const fetchIdle = time.Hour

// fetches are the blobs on their way from other registries. They do not outlive
// the process.
type fetches struct {
	mu   sync.Mutex
	open map[string]*fetch // by digest
}

// fetch is one blob on its way. Who holds its turn owns the rest of it.
type fetch struct {
	users int           // guarded by fetches.mu: who wants the blob or has its turn
	turn  chan struct{} // holds one value

	file *os.File // what has come; nil: nothing
	load *remote.Download
	left time.Time // when the last one who tried gave up
}

// fetch brings a blob here, unless it is here already. One caller at a time
// works on a blob; what it leaves when it fails, the next one goes on with.
func (r *Registry) fetch(ctx context.Context, from *remote.Repository, d string, size int64) error {
	f := r.fetches.join(d)
	defer r.fetches.leave(d, f)
	select {
	case <-f.turn:
		defer func() { f.turn <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if st, err := os.Stat(r.blobPath(d)); err == nil && st.Size() == size {
		return nil
	}
	if err := r.hasRoom(size); err != nil {
		return err
	}
	if f.file == nil || f.load.Size != size {
		f.drop()
		file, err := os.CreateTemp(r.path("tmp"), "fetch-")
		if err != nil {
			return err
		}
		f.file, f.load = file, remote.NewDownload(d, size, file)
	}
	f.left = r.now()
	if err := from.Fetch(ctx, f.load); err != nil {
		if f.load.Untrue() {
			f.drop()
		}
		return err
	}
	// It is not synced: unpacking verifies it again, and pulls it again if need be.
	if err := os.Rename(f.file.Name(), r.blobPath(d)); err != nil {
		return fmt.Errorf("store blob %s: %w", d, err)
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// drop throws away what has come of a blob.
func (f *fetch) drop() {
	if f.file == nil {
		return
	}
	// What stays is swept at the next start.
	_ = os.Remove(f.file.Name())
	_ = f.file.Close()
	f.file = nil
}

// join returns the fetch of a blob for one more user.
func (f *fetches) join(d string) *fetch {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.open[d]
	if one == nil {
		one = &fetch{turn: make(chan struct{}, 1)}
		one.turn <- struct{}{}
		f.open[d] = one
	}
	one.users++
	return one
}

// leave forgets the fetch when nobody wants the blob and nothing has come of it.
func (f *fetches) leave(d string, one *fetch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one.users--; one.users == 0 && one.file == nil {
		delete(f.open, d)
	}
}

// sweepFetches removes the beginnings of blobs that nobody wants any more.
func (r *Registry) sweepFetches() {
	r.fetches.mu.Lock()
	defer r.fetches.mu.Unlock()
	for d, one := range r.fetches.open {
		if one.users == 0 && r.now().Sub(one.left) > fetchIdle {
			one.drop()
			delete(r.fetches.open, d)
		}
	}
}

// hasRoom refuses a blob that would fill the disk.
func (r *Registry) hasRoom(size int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(r.cfg.Dir, &st); err != nil {
		return fmt.Errorf("look at the free space: %w", err)
	}
	free, keep := int64(st.Bavail)*st.Bsize, min(freeBytes, int64(st.Blocks)/20*st.Bsize)
	if free-size < keep {
		return fmt.Errorf("no space left on device: %d bytes are free, %d must stay so, the layer has %d", free, keep, size)
	}
	return nil
}
