package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"neargate/internal/runtime"
)

// Exec asks for a command in a running container. The connection on which it
// comes is the command's from then on: it carries ExecReports back, and its end
// ends the command. With it come the command's files: the socket on which the
// engine takes the terminal where there is one, else stdin, stdout and stderr.
// So what goes in and out never passes the supervisor.
type Exec struct {
	Container     string
	Args          []string
	User          string   // "": the container's
	Env           []string // "NAME=value", beside the container's
	Terminal      bool
	Rows, Columns uint16 // of the terminal
}

// ExecReport is what becomes of a command.
type ExecReport struct {
	Refused  string // why the container cannot be asked; "": it was
	Failed   string // why the command could not be started; "": it was
	Started  bool
	ExitCode *int // once it and all that it started have ended
}

// ExecAnswer is an ExecReport on the wire, where Reports may come before it.
type ExecAnswer struct{ Exec *ExecReport }

// execLimit is how long the end of a killed command's processes is waited for.
const execLimit = 10 * time.Second

// call is an Exec with all that came with it.
type call struct {
	exec  *Exec
	conn  net.Conn
	files []*os.File
}

func (c *call) answer(r ExecReport) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	_ = json.NewEncoder(c.conn).Encode(ExecAnswer{&r}) // an engine that is gone needs none
}

func (c *call) close() {
	closeAll(c.files)
	_ = c.conn.Close()
}

// exec runs a command in its container, on a goroutine of its own.
func (t *task) exec(c *call) {
	m := t.member(c.exec.Container)
	if m == nil || m.container == nil {
		c.answer(ExecReport{Refused: fmt.Sprintf("container %s does not run", c.exec.Container)})
		c.close()
		return
	}
	in := m.container
	t.helpers.Go(func() {
		in.exec(c)
		c.close()
		debug.FreeOSMemory() // commands are rare, and supervisors many
	})
}

// exec runs a command from its start to the end of the last process that it has
// started.
func (c *container) exec(call *call) {
	p, err := c.command(call)
	if err != nil {
		call.answer(ExecReport{Failed: err.Error()})
		return
	}
	end, err := c.enclose(p)
	if err != nil {
		call.answer(ExecReport{Refused: err.Error()})
		return
	}
	if err := c.join(p); err != nil {
		end()
		call.answer(ExecReport{Failed: err.Error()})
		return
	}
	closeAll(call.files) // the command alone has them
	call.answer(ExecReport{Started: true})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, call.conn) // nothing more comes but the end
	}()
	stop := hangUp(p, gone, end)
	state, err := c.await(p)
	stop()
	end()
	if state == nil {
		call.answer(ExecReport{Failed: fmt.Sprintf("wait for command: %v", err)})
	} else if status, ok := state.Sys().(syscall.WaitStatus); ok {
		code := exitCode(status)
		call.answer(ExecReport{ExitCode: &code})
	}
	_ = call.conn.Close()
	<-gone
}

// command is the process of a command.
func (c *container) command(call *call) (*libcontainer.Process, error) {
	x := call.exec
	p := c.another(x.Args)
	p.Env = slices.Concat(p.Env, x.Env)
	if x.User != "" {
		u, err := resolveUser(filepath.Join(containerDir(c.order.Dir, c.spec.Name), "rootfs"), x.User)
		if err != nil {
			return nil, err
		}
		p.UID, p.GID, p.AdditionalGroups = u.Uid, u.Gid, u.Sgids
	}
	switch {
	case x.Terminal && len(call.files) == 1:
		p.ConsoleSocket, p.ConsoleHeight, p.ConsoleWidth = call.files[0], x.Rows, x.Columns
	case !x.Terminal && len(call.files) == 3:
		p.Stdin, p.Stdout, p.Stderr = call.files[0], call.files[1], call.files[2]
	default:
		return nil, fmt.Errorf("run command: it came with %d files", len(call.files))
	}
	return p, nil
}

// enclose has a process run in a cgroup of its own within the container's. end
// kills whatever is in there, waits until it is gone and removes the cgroup.
func (c *container) enclose(p *libcontainer.Process) (end func(), err error) {
	name := fmt.Sprintf("exec-%d", c.execs.Add(1))
	path := filepath.Join(cgroupOf(c.order, c.spec), name)
	controller, err := c.layout.Enclose(path)
	if err != nil {
		return nil, err
	}
	p.SubCgroupPaths = map[string]string{controller: name}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), execLimit)
		defer cancel()
		if err := c.layout.Remove(ctx, path); err != nil {
			fmt.Fprintln(os.Stderr, "end command:", err)
		}
	}, nil
}

// hangUp ends a command whose caller has gone: by SIGHUP, and by kill when that
// has not helped. stop waits until it is out of the way.
func hangUp(p *libcontainer.Process, gone <-chan struct{}, kill func()) (stop func()) {
	ended, out := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(out)
		select {
		case <-gone:
		case <-ended:
			return
		}
		_ = p.Signal(unix.SIGHUP)
		late := time.NewTimer(runtime.HangUpLimit)
		defer late.Stop()
		select {
		case <-late.C:
			kill()
		case <-ended:
		}
	}()
	return func() {
		close(ended)
		<-out
	}
}
