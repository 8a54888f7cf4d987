package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxID is the largest user or group ID; the next one means "leave it".
const maxID = math.MaxUint32 - 1

const paxAttrPrefix = "SCHILY.xattr."

// modeBits is what chmod sets.
const modeBits = 0o7777

// describeOpen gives an open file or directory its owner, mode and extended
// attributes. The mode comes after the owner, whose change clears set-user-ID,
// and a capability after both.
func describeOpen(h *tar.Header, fd int) error {
	if err := unix.Fchown(fd, h.Uid, h.Gid); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	if err := unix.Fchmod(fd, uint32(h.Mode)&modeBits); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	for key, value := range h.PAXRecords {
		attr, ok := strings.CutPrefix(key, paxAttrPrefix)
		// Others, above all trusted.overlay.*, are not an image's to set.
		if !ok || attr != "security.capability" && !strings.HasPrefix(attr, "user.") {
			continue
		}
		err := unix.Fsetxattr(fd, attr, []byte(value), 0)
		if err != nil && !errors.Is(err, unix.ENOTSUP) { // not every file system has them
			return fmt.Errorf("set attribute %q: %w", shorten(attr), err)
		}
	}
	return nil
}

// describe gives a pipe, which must not be opened, its owner, mode and time.
func (x *extraction) describe(h *tar.Header, at place) error {
	if err := unix.Fchownat(at.dir, at.base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	// It was made just now and is no symbolic link.
	if err := unix.Fchmodat(at.dir, at.base, uint32(h.Mode)&modeBits, 0); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	return setTime(at.dir, at.base, h.ModTime)
}

// setTime sets the time of a file or directory to that of its entry; its range
// is the file system's.
func setTime(dir int, base string, at time.Time) error {
	t := unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
	return unix.UtimesNanoAt(dir, base, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
}

// write writes a file of size bytes. What is only zeros stays a hole.
func (x *extraction) write(fd int, size int64, content io.Reader) error {
	end := int64(0) // of what is not a hole
	for pos := int64(0); pos < size; {
		part := x.buf[:min(int64(len(x.buf)), size-pos)]
		if _, err := io.ReadFull(content, part); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if !bytes.Equal(part, x.zeros[:len(part)]) {
			if err := x.put(fd, part, pos); err != nil {
				return err
			}
			end = pos + int64(len(part))
		}
		pos += int64(len(part))
	}
	if end < size {
		return unix.Ftruncate(fd, size)
	}
	return nil
}

// put writes a part of a file.
func (x *extraction) put(fd int, part []byte, pos int64) error {
	if err := x.budget.disk(int64(len(part))); err != nil {
		return err
	}
	for len(part) > 0 {
		n, err := unix.Pwrite(fd, part, pos)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		part, pos = part[n:], pos+int64(n)
	}
	return nil
}
