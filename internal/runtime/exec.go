package runtime

import (
	"context"
	"io"
	"time"

	"neargate/internal/model"
)

// Executor runs commands in containers that run.
type Executor interface {
	// Exec runs a command in a running container, whichever process started the
	// task, and returns its exit code when it has ended: 128+n when signal n
	// ended it. The command sees what the container's own program sees: user,
	// environment, working directory, files, network, processes and limits.
	// It is confined as that program is.
	//
	// Exec returns when its output has been written and nothing that it started
	// is left: what a command leaves running is killed with it. When ctx ends,
	// the engine closes, or an output cannot be written, the command gets SIGHUP
	// and, after HangUpLimit, SIGKILL; the error wraps the cause then. A task's
	// end does not wait for its commands: they are killed with their container.
	//
	// Errors of a command that has not run are *model.Errors with CodeExec: of an
	// unknown task or container, Kind NotFound; of one that does not run,
	// Conflict; of more than MaxCommands in one container, Throttled; of a
	// command that the container cannot start, Invalid; after Close, Unavailable.
	Exec(ctx context.Context, task string, command Command, streams Streams) (exitCode int, err error)
}

// CodeExec is ECS's code for a container that no command can be run in.
const CodeExec = "TargetNotConnectedException"

// MaxCommands is how many commands may run in one container at once (Amazon ECS
// service quotas, "ECS Exec sessions per container").
const MaxCommands = 20

// HangUpLimit is how long a command has between SIGHUP and SIGKILL when its
// caller has gone.
const HangUpLimit = 2 * time.Second

// Command is what to run in a container.
type Command struct {
	Container string
	Args      []string
	User      string           // as in a task definition; "": the container's
	Env       []model.KeyValue // beside the container's; the same name replaces
	// Window is the size of the terminal that the command gets; nil: it gets
	// none.
	Window *Window
}

// Window is the size of a terminal in characters; 0 is unknown.
type Window struct{ Rows, Columns uint16 }

// Streams are what a command reads and writes. With a terminal all output goes
// to Stdout. A Write must end when the ctx of Exec does.
type Streams struct {
	// Stdin is what the command reads; nil is empty. Exec closes it when the
	// command has ended, perhaps more than once, which must end a Read. Its end
	// is the end of the command's input, but not of a terminal, which has none.
	Stdin io.ReadCloser
	// Stdout and Stderr take the output; nil drops it.
	Stdout, Stderr io.Writer
	// Resize brings new sizes of the terminal; nil: it keeps its size.
	Resize <-chan Window
}
