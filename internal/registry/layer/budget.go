package layer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// lookEvery is how many bytes are written between two looks at the free space.
const lookEvery = 8 << 20

// entryBytes is what an entry counts besides its content, towards the next look.
const entryBytes = 4 << 10

// budget is what is left of a layer's limits.
type budget struct {
	limits  Limits
	root    int // descriptor of a directory on the file system
	bytes   int64
	entries int
	unseen  int64 // bytes since the last look
}

// entry counts a file, directory or link.
func (b *budget) entry() error {
	if b.entries++; b.entries > b.limits.Entries {
		return fmt.Errorf("the layer has more than %d entries", b.limits.Entries)
	}
	return b.disk(entryBytes)
}

// content counts a file of n bytes, before any of them is written.
func (b *budget) content(n int64) error {
	if n < 0 || n > b.limits.Bytes-b.bytes {
		return fmt.Errorf("the files of the layer are larger than the limit of %d bytes", b.limits.Bytes)
	}
	b.bytes += n
	return nil
}

// disk is told of n bytes that take room, and looks now and then at how much is
// left.
func (b *budget) disk(n int64) error {
	if b.unseen -= n; b.unseen > 0 {
		return nil
	}
	b.unseen = lookEvery
	var st unix.Statfs_t
	if err := unix.Fstatfs(b.root, &st); err != nil {
		return fmt.Errorf("look at the free space: %w", err)
	}
	size := st.Bsize
	keep := min(b.limits.FreeBytes, int64(st.Blocks)/20*size)
	if free := int64(st.Bavail) * size; free < keep {
		return fmt.Errorf("no space left on device: %d bytes are free, %d must stay so", free, keep)
	}
	if st.Files > 0 && st.Ffree < st.Files/50 {
		return fmt.Errorf("no space left on device: %d of %d inodes are free", st.Ffree, st.Files)
	}
	return nil
}
