package supervisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// run starts the container's process with its standard input and output: pipes,
// or a terminal. What it prints is in the log from the first byte.
func (c *container) run() error {
	if c.spec.Terminal {
		return c.runOnTerminal()
	}
	ends, err := c.openOutputs()
	if err != nil {
		return err
	}
	defer closeAll(ends)
	c.process.Stdout, c.process.Stderr = ends[0], ends[1]
	if c.spec.Interactive { // nobody writes, but it does not end either
		r, w, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("make input pipe: %w", err)
		}
		defer func() { _ = r.Close() }()
		c.process.Stdin, c.stdin = r, w
	}
	if err := c.handle.Start(c.process); err != nil {
		return cleanError(err)
	}
	return nil
}

// openOutputs creates the pipes for stdout and stderr and returns the container's
// ends. Ours are read until they end.
func (c *container) openOutputs() ([]*os.File, error) {
	var theirs []*os.File
	for range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(theirs)
			closeAll(c.outputs)
			close(c.drained)
			return nil, fmt.Errorf("make output pipe: %w", err)
		}
		c.outputs, theirs = append(c.outputs, r), append(theirs, w)
	}
	c.keepOutputs()
	return theirs, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// keepOutputs writes what the container prints to its log.
func (c *container) keepOutputs() {
	done := make(chan struct{}, len(c.outputs))
	for i, r := range c.outputs {
		keep, from := c.log.Copy, io.Reader(r)
		if i > 0 {
			keep = c.log.CopyErrors
		}
		if i == len(c.outputs)-1 { // standard error, or the terminal
			from = c.first.of(r)
		}
		go func() {
			if err := keep(from); err != nil && !errors.Is(err, unix.EIO) { // the last has closed its terminal
				fmt.Fprintln(os.Stderr, "keep output:", err)
			}
			done <- struct{}{}
		}()
	}
	go func() {
		for range c.outputs {
			<-done
		}
		close(c.drained)
	}()
}

// runOnTerminal starts the container's process with a terminal of its own as
// standard input and output. Nobody types on it.
func (c *container) runOnTerminal() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		close(c.drained)
		return fmt.Errorf("make terminal: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "terminal"), os.NewFile(uintptr(pair[1]), "terminal")
	defer closeAll([]*os.File{ours, theirs})
	c.process.ConsoleSocket = theirs
	if err := c.handle.Start(c.process); err != nil {
		close(c.drained)
		return cleanError(err)
	}
	terminal, err := takeTerminal(ours)
	if err != nil {
		close(c.drained)
		return fmt.Errorf("take terminal: %w", err)
	}
	c.outputs = []*os.File{terminal}
	c.keepOutputs()
	return nil
}

// takeTerminal receives the terminal's other end, which the container's process
// has sent while it was started, and has it end lines as pipes do.
func takeTerminal(socket *os.File) (*os.File, error) {
	oob, name := make([]byte, unix.CmsgSpace(4)), make([]byte, unix.PathMax)
	_, n, _, _, err := unix.Recvmsg(int(socket.Fd()), name, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 {
		return nil, io.ErrUnexpectedEOF
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	if len(fds) != 1 {
		return nil, fs.ErrInvalid
	}
	settings, err := unix.IoctlGetTermios(fds[0], unix.TCGETS)
	if err == nil {
		settings.Oflag &^= unix.ONLCR
		err = unix.IoctlSetTermios(fds[0], unix.TCSETS, settings)
	}
	if err = errors.Join(err, unix.SetNonblock(fds[0], true)); err != nil {
		_ = unix.Close(fds[0])
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "terminal"), nil
}
