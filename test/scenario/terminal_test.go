package scenario_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a program in a terminal of its own, as a person has it.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	out    syncBuffer
	read   sync.WaitGroup
}

// openTerminal starts a program in a new terminal.
func openTerminal(t *testing.T, cmd *exec.Cmd, rows, columns uint16) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: cmd, master: os.NewFile(uintptr(fd), "terminal")}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	term.resize(rows, columns)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	term.read.Go(func() { _, _ = io.Copy(&term.out, term.master) }) // its end is EIO
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
			_ = cmd.Wait()
		}
		_ = term.master.Close()
		term.read.Wait()
	})
	return term
}

// resize gives the terminal another size.
func (x *terminal) resize(rows, columns uint16) {
	x.t.Helper()
	raw, err := x.master.SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) {
			err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
		}), err)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

// keys types.
func (x *terminal) keys(text string) {
	x.t.Helper()
	if _, err := io.WriteString(x.master, text); err != nil {
		x.t.Fatal(err)
	}
}

// sees waits until the terminal shows a text; carriage returns do not count, as
// each terminal on the way may add some.
func (x *terminal) sees(text string) {
	x.t.Helper()
	eventually(x.t, 20*time.Second, fmt.Sprintf("the terminal to show %q", text), func() error {
		if shown := strings.ReplaceAll(x.out.String(), "\r", ""); !strings.Contains(shown, text) {
			return fmt.Errorf("it shows %q", shown)
		}
		return nil
	})
}

// wait waits for the program's end and returns its exit code.
func (x *terminal) wait() int {
	x.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = x.cmd.Wait() // the code says it
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		x.t.Fatalf("the program does not end; the terminal shows %q", x.out.String())
	}
	return x.cmd.ProcessState.ExitCode()
}
