package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/tree"
)

// deleted begins the name of a directory whose file system is no more.
const deleted = "deleted-"

// Delete deletes a file system with all that it holds, and its access points. One
// with mount targets is FileSystemInUse. FileSystemNotFound.
func (f *FileSystems) Delete(ctx context.Context, id string) error {
	id = model.ARNTail(id, 1)
	err := f.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := f.systems.In(tx).Get(id); !ok {
			return errNoFileSystem(id)
		}
		for _, t := range f.targets.In(tx).List("") {
			if t.FileSystem == id {
				return fault(model.Conflict, "FileSystemInUse", "File system '%s' has mount targets created in it. Delete these mount targets before deleting the file system.", id)
			}
		}
		for _, p := range f.points.In(tx).List("") {
			if p.FileSystem == id {
				f.points.In(tx).Delete(p.ID)
			}
		}
		f.systems.In(tx).Delete(id)
		return nil
	})
	if err != nil {
		return err
	}
	gone := filepath.Join(f.cfg.Dir, deleted+id)
	if err := os.Rename(f.dir(id), gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete file system %s: %w", id, err)
	}
	if err := tree.Remove(context.WithoutCancel(ctx), gone); err != nil {
		f.log.Warn("the files of a deleted file system are still there", "file_system", id, "error", err)
	}
	return nil
}

// Run removes what deletions that were cut short have left, and waits for the end
// of ctx.
func (f *FileSystems) Run(ctx context.Context) error {
	entries, err := os.ReadDir(f.cfg.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for deleted file systems: %w", err)
	}
	for _, e := range entries {
		_, known := f.systems.Get(e.Name())
		if strings.HasPrefix(e.Name(), "fs-") && !known { // its record went before its name
			err := os.Rename(f.dir(e.Name()), filepath.Join(f.cfg.Dir, deleted+e.Name()))
			if err != nil {
				return fmt.Errorf("delete file system %s: %w", e.Name(), err)
			}
		}
		name := deleted + strings.TrimPrefix(e.Name(), deleted)
		if known || !strings.HasPrefix(name, deleted+"fs-") {
			continue
		}
		if err := tree.Remove(ctx, filepath.Join(f.cfg.Dir, name)); err != nil && ctx.Err() == nil {
			f.log.Warn("the files of a deleted file system are still there", "directory", name, "error", err)
		}
	}
	<-ctx.Done()
	return nil
}

// size is what a file system's files take.
type size struct {
	bytes int64
	at    int64 // seconds since 1970
}

// sizeAge is how old a size may be, in seconds. AWS's may be an hour.
const sizeAge = 60

// Size returns how much the files of a file system take, in bytes, and when that
// was so, in seconds since 1970. It is at least what EFS meters of an empty one.
func (f *FileSystems) Size(id string, now int64) (bytes, at int64) {
	const empty = 6144
	f.mu.Lock()
	known, ok := f.sizes[id]
	f.mu.Unlock()
	if ok && now-known.at < sizeAge {
		return known.bytes, known.at
	}
	err := tree.Walk(f.dir(id), func(st unix.Stat_t) {
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			bytes += st.Blocks * 512
		}
	})
	if err != nil {
		f.log.Warn("file system not measured", "file_system", id, "error", err)
	}
	known = size{max(bytes, empty), now}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sizes[id] = known
	return known.bytes, known.at
}
