package supervisor

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// maxFiles is how many files come with a command.
const maxFiles = 3

// intake reads what an engine sends, and keeps the files that come with it.
type intake struct {
	conn  *net.UnixConn
	files []*os.File
}

// Read implements io.Reader.
func (i *intake) Read(p []byte) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4*maxFiles))
	n, oobn, _, _, err := i.conn.ReadMsgUnix(p, oob)
	if err != nil {
		return n, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return n, fmt.Errorf("read files: %w", err)
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return n, fmt.Errorf("read files: %w", err)
		}
		for _, fd := range fds {
			i.files = append(i.files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return n, nil
}

// take returns the files that have come.
func (i *intake) take() []*os.File {
	files := i.files
	i.files = nil
	return files
}

func (i *intake) close() { closeAll(i.take()) }
