package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime"
)

// outputGrace is how long the output of a command that has ended may be silent
// before it counts as ended: a process of the container that the command did not
// start can hold it open.
const outputGrace = time.Second

// commandFiles are the files through which a command reads and writes: a
// terminal, or three pipes.
type commandFiles struct {
	theirs []int // the command's ends, until release

	socket   *os.File   // on which the terminal comes; nil: there is none
	terminal *os.File   // after open
	in       *os.File   // what the command reads
	outs     []*os.File // what it writes: output, and errors without a terminal
}

// newCommandFiles makes them.
func newCommandFiles(terminal bool) (*commandFiles, error) {
	f := &commandFiles{}
	if terminal {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("make terminal: %w", err)
		}
		f.theirs, f.socket = []int{fds[1]}, os.NewFile(uintptr(fds[0]), "console")
		return f, nil
	}
	for i := range 3 {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			f.close()
			return nil, fmt.Errorf("make pipe: %w", err)
		}
		ours, theirs := p[0], p[1]
		if i == 0 {
			ours, theirs = theirs, ours
		}
		f.theirs = append(f.theirs, theirs)
		// Ours alone is not to block: so it can be closed while it is in use.
		err := unix.SetNonblock(ours, true)
		file := os.NewFile(uintptr(ours), "pipe")
		if i == 0 {
			f.in = file
		} else {
			f.outs = append(f.outs, file)
		}
		if err != nil {
			f.close()
			return nil, fmt.Errorf("make pipe: %w", err)
		}
	}
	return f, nil
}

// release closes the command's ends, which another process has got.
func (f *commandFiles) release() {
	for _, fd := range f.theirs {
		_ = unix.Close(fd)
	}
	f.theirs = nil
}

// close closes all files. It may be called more than once.
func (f *commandFiles) close() {
	f.release()
	for _, file := range append(f.outs, f.socket, f.terminal, f.in) {
		_ = file.Close() // nil has no file
	}
}

// open takes the terminal of a command that has been started.
func (f *commandFiles) open() error {
	if f.socket == nil {
		return nil
	}
	fd, err := receive(int(f.socket.Fd()))
	if err != nil {
		return fmt.Errorf("take terminal: %w", err)
	}
	f.terminal = os.NewFile(uintptr(fd), "terminal")
	f.in, f.outs = f.terminal, []*os.File{f.terminal}
	return nil
}

// receive takes one file that has been sent, made not to block.
func receive(socket int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 4096), oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return 0, err
	}
	if len(messages) != 1 {
		return 0, errors.New("none has come")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		_ = unix.Close(fds[0])
		return 0, err
	}
	return fds[0], nil
}

// carry moves what the command reads and writes until ended returns and its
// output has ended. An output that cannot be written cancels the command.
func (f *commandFiles) carry(ctx context.Context, s runtime.Streams, cancel context.CancelCauseFunc, ended func() (int, error)) (int, error) {
	over := make(chan struct{})
	var inputs, outputs sync.WaitGroup
	inputs.Go(func() { f.input(s.Stdin) })
	inputs.Go(func() { f.resize(s.Resize, over) })
	sinks := []io.Writer{s.Stdout, s.Stderr}
	for i, out := range f.outs {
		outputs.Go(func() {
			if err := copyOutput(sinks[i], out, over); err != nil {
				cancel(fmt.Errorf("write the command's output: %w", err))
			}
		})
	}
	code, err := ended()
	close(over)
	for _, out := range f.outs {
		deadline := time.Now()
		if ctx.Err() == nil {
			deadline = deadline.Add(outputGrace)
		}
		_ = out.SetReadDeadline(deadline)
	}
	outputs.Wait()
	f.close()
	if s.Stdin != nil {
		_ = s.Stdin.Close()
	}
	inputs.Wait()
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("run command: %w", context.Cause(ctx))
	}
	return code, err
}

// input passes on what the command reads. The end of it ends a pipe, not a
// terminal.
func (f *commandFiles) input(from io.Reader) {
	if from != nil {
		_, _ = io.Copy(f.in, from) // the command need not read it
	}
	if f.terminal == nil {
		_ = f.in.Close()
	}
}

// resize passes the terminal's new sizes on.
func (f *commandFiles) resize(sizes <-chan runtime.Window, over <-chan struct{}) {
	for {
		select {
		case w, ok := <-sizes:
			if !ok {
				return
			}
			if f.terminal != nil {
				setWindow(f.terminal, w)
			}
		case <-over:
			return
		}
	}
}

func setWindow(terminal *os.File, w runtime.Window) {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return // it is closed
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: w.Rows, Col: w.Columns})
	})
}

// copyOutput passes output on until it ends, or is silent after the command is
// over. The error is the writer's.
func copyOutput(to io.Writer, from *os.File, over <-chan struct{}) error {
	if to == nil {
		to = io.Discard
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return nil //nolint:nilerr // the end of the output; a terminal's is EIO
		}
		select {
		case <-over: // each piece may have come after the deadline
			_ = from.SetReadDeadline(time.Now().Add(outputGrace))
		default:
		}
	}
}
