package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// lastStage is what libcontainer calls the process that becomes the user's
// program, until it does.
const lastStage = "runc:[2:INIT]"

// firstWordsLimit bounds what is kept of them, in bytes.
const firstWordsLimit = 512

// firstWords are what a container printed first. Where the kernel refuses its
// program (of another architecture, or its arguments are too long), nobody can be
// told any more but by them: they are libcontainer's.
type firstWords struct {
	from io.Reader
	kept []byte
}

// of returns a reader of the container's output, which keeps its beginning.
func (f *firstWords) of(r io.Reader) io.Reader {
	f.from = r
	return f
}

// Read implements io.Reader.
func (f *firstWords) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if room := firstWordsLimit - len(f.kept); room > 0 {
		f.kept = append(f.kept, p[:min(n, room)]...)
	}
	return n, err
}

// line returns the first line, once nobody reads any more.
func (f *firstWords) line() string {
	line, _, _ := strings.Cut(string(f.kept), "\n")
	return strings.TrimSpace(line)
}

// becameProgram waits for the end of the container's first process, which it
// leaves to be waited for, and reports whether that had become the user's program.
func (c *container) becameProgram() bool {
	pid, err := c.process.Pid()
	if err != nil {
		return false
	}
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return true // it cannot be known, and most do
		}
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err != nil || strings.TrimSpace(string(name)) != lastStage
}
