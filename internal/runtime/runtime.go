// Package runtime is the contract between the control plane and whatever runs
// its tasks. An engine starts and stops tasks, reports what becomes of them and
// what they consume; it decides nothing. Package runtimetest holds the contract
// as tests, which every engine passes.
//
// # A task in an engine
//
// A task is known by its ID, which the control plane chooses and never uses
// twice.
//
//	Start ──▶ starting ──▶ running ──▶ ended ──Forget──▶ unknown
//	             └──an error, or Stop──────────────────────▲
//
// An engine keeps an ended task, with the exit codes of its containers, until
// Forget. Tasks outlive the process that started them where the engine can
// arrange it; the engine of the next process returns them from Recover.
//
// # Concurrency
//
// All methods may be called at once by any number of goroutines, but for
// Events, which has one consumer, and Serve and Close, which are called once.
package runtime

import (
	"context"
	"iter"
	"time"

	"neargate/internal/model"
)

// Engine runs tasks. One that is given to the control plane has been opened: it
// knows the tasks of the process before it. Serve must run while it is used,
// and Close follows when Serve has returned.
type Engine interface { //nolint:interfacebloat // one for each side of an engine
	Tasks
	Watcher
	Resolver
	Sampler
	Executor
	Lifecycle
	// Capabilities returns what this engine can do. The answer never changes.
	Capabilities() Capabilities
	// Architectures returns those whose programs run now: the machines' own first,
	// then those that they emulate, which may come and go.
	Architectures() []model.Architecture
}

// Tasks starts and ends tasks.
type Tasks interface {
	// Start runs a task and returns when all of its containers have been
	// started; dependencies among containers may make that long. The state it
	// returns has the address and what is known of every container. A task
	// whose containers end at once comes back with Running false, and that is
	// no error.
	//
	// Containers that run when it turns out that another cannot be started are
	// stopped as Stop does it, each with its StopTimeout or the engine's default,
	// before Start returns; its error stays the first one, also when Stop is
	// called meanwhile. So they are when an essential container ends before all
	// have been started: the error wraps ErrEssentialEnded.
	//
	// An error leaves nothing behind: no process, no address, no record; the ID
	// is unknown again, and no event of the task is told. What is known of its
	// containers by then (digests, exit codes) is in the state returned with the
	// error, with StoppingAt and StoppedAt where any had run. An error that the task
	// itself is to blame for, or its images, is a *model.Error with one of ECS's
	// codes: CannotPullContainerError, CannotStartContainerError,
	// ResourceInitializationError, or ECS's words for a container that waits in vain
	// (CodeWait). One that a container's image could not be pulled, or that it could
	// not be started, wraps a *ContainerError. Its Msg, like every reason in a state, is for callers of the APIs:
	// it names no place of the machine. Others wrap ErrStopped when Stop ended the
	// start, or the cause of ctx when that ended.
	//
	// A spec that could run nowhere is refused before anything is done: Kind
	// Invalid. So is an ID that the engine knows, whether its task is starting,
	// running or ended: Kind Conflict. After Close every start is: Unavailable.
	Start(ctx context.Context, spec model.TaskSpec) (model.RunState, error)
	// Stop ends a task: each container gets its stop signal and, after its
	// StopTimeout, or timeout where it has none, SIGKILL; a timeout of 0 is the
	// engine's default of 30 s. Containers that depend on others end before
	// them. Stop returns when the task has ended, what it held is released, and
	// its TaskEnded event is there to be taken. Of a task that is starting it
	// aborts the start, stops in the same way what runs of it, and returns when
	// that has been undone. The end of Start's ctx does the same where its cause
	// is ErrStopped, with the engine's default; any other cause, and Close, kill
	// what runs. An unknown ID or
	// an ended task is no error. When ctx ends first the stop goes on without
	// its caller.
	Stop(ctx context.Context, id string, timeout time.Duration) error
	// Kill ends a task at once, by SIGKILL, whether it starts, runs, or is being
	// stopped, and returns as Stop does, which it has return as well.
	Kill(ctx context.Context, id string) error
	// Forget drops what the engine keeps of an ended task, events not yet taken
	// included. An unknown ID is no error; a task that starts or runs is: Kind
	// Conflict.
	Forget(ctx context.Context, id string) error
}

// Watcher reports what becomes of tasks.
type Watcher interface {
	// Recover returns every task that runs or has ended and is not forgotten,
	// whichever process started it. Tasks that are starting are left out, and
	// so are those that were starting when the process before this one ended:
	// the engine either lets such a start succeed or undoes it. Events that came
	// before the call are in what it returns and are not told again.
	Recover(ctx context.Context) ([]model.RunState, error)
	// Events yields what happens to tasks, in order for each task, until ctx
	// ends, and blocks for the next event. Each event is told once. None is
	// lost: those that nobody takes wait, also from one call of Events to the
	// next. There is one consumer at a time.
	Events(ctx context.Context) iter.Seq[Event]
}

// Resolver finds out what image references name.
type Resolver interface {
	// Resolve returns the digest of the manifest that an image's reference names
	// now, "sha256:…". A start with that digest runs exactly that manifest,
	// wherever the reference points by then. Errors are as those of Start for an
	// image: CannotPullContainerError.
	Resolve(ctx context.Context, image Image) (digest string, err error)
}

// Sampler measures tasks.
type Sampler interface {
	// Samples returns the consumption of every running task now. It returns at
	// once. The CPU time of a task never shrinks.
	Samples() []model.Sample
	// Usage returns what a running task and each of its containers have consumed
	// until now; ok is false where none with the ID runs. What an engine cannot
	// measure is zero. It costs some system calls a container.
	Usage(id string) (usage model.TaskUsage, ok bool)
}

// Lifecycle is the engine's own life.
type Lifecycle interface {
	// Serve does the engine's continuous work, such as passing the containers'
	// output on to the LogSink, until ctx ends. An error says that the engine
	// cannot go on; after the end of ctx it is nil.
	Serve(ctx context.Context) error
	// Close lets go of the tasks, which run on where the engine can arrange it,
	// and undoes starts that are under way. It works also when ctx has ended.
	Close(ctx context.Context) error
}

// LogSink takes the output of containers. An engine is given one when it is
// opened.
type LogSink interface {
	// Append adds lines to a stream. When it fails the engine offers the same
	// lines again later.
	Append(ctx context.Context, group, stream string, lines []model.LogLine) error
}
