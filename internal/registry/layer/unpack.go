package layer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// answerFD is where the process writes its answer.
	answerFD = 3
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 20
	// maxOrder bounds an order: the seccomp program is most of it.
	maxOrder = 1 << 20
	// killLimit is how long a killed process may take to be gone.
	killLimit = 10 * time.Second
)

// answer is what the process has to say at its end. Names are bytes: JSON would
// change those that are not UTF-8.
type answer struct {
	Error           string // why the layer could not be unpacked; "" when it was
	DiffID          string
	Bytes           int64
	Opaque, Implied [][]byte
}

func (a answer) result() Result {
	r := Result{DiffID: a.DiffID, Bytes: a.Bytes}
	for _, name := range a.Opaque {
		r.Opaque = append(r.Opaque, string(name))
	}
	for _, name := range a.Implied {
		r.Implied = append(r.Implied, string(name))
	}
	return r
}

// Unpack unpacks a layer into job.Dir, from blob to its end: a tar, as it is or
// compressed by gzip or zstd. An error leaves a part of it there. When ctx ends
// the process is killed, whatever it does, and Unpack returns the cause.
func Unpack(ctx context.Context, job Job, blob io.Reader) (Result, error) {
	if len(os.Args) == 2 && os.Args[1] == Argument {
		return Result{}, errors.New("unpack layer: this program does not call Dispatch")
	}
	// The process is to die with the server. The kernel sends the signal at the
	// end of the thread that started it, so this thread stays until then.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, w, err := os.Pipe()
	if err != nil {
		return Result{}, fmt.Errorf("unpack layer: %w", err)
	}
	defer r.Close()
	order, err := encodeOrder(job)
	if err != nil {
		return Result{}, errors.Join(fmt.Errorf("unpack layer: %w", err), w.Close())
	}
	said := &head{max: 4 << 10}
	cmd := command(ctx, w, said)
	cmd.Stdin = io.MultiReader(bytes.NewReader(order), blob)
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		return Result{}, fmt.Errorf("unpack layer: %w", err)
	}
	var a answer
	heard := json.NewDecoder(io.LimitReader(r, maxAnswer)).Decode(&a)
	_ = r.Close() // one that says more is ended by that
	ended := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return Result{}, context.Cause(ctx)
	case heard != nil:
		return Result{}, fmt.Errorf("the unpacking process ended without an answer: %w: %s", cmp.Or(ended, heard), said.line())
	case a.Error != "":
		return Result{}, errors.New(a.Error)
	case ended != nil:
		return Result{}, fmt.Errorf("the unpacking process: %w", ended)
	}
	return a.result(), nil
}

// command is this same program in namespaces of its own.
func command(ctx context.Context, answers *os.File, said io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{"neargate", Argument}
	cmd.Dir = "/"
	// A compressed layer may unpack to anything: the memory limit is for the
	// collector, RLIMIT_DATA is the hard one.
	cmd.Env = []string{"GOMAXPROCS=2", "GOMEMLIMIT=256MiB", "GOTRACEBACK=single"}
	cmd.ExtraFiles = []*os.File{answers}
	cmd.Stderr = said
	cmd.WaitDelay = killLimit
	cmd.SysProcAttr = &unix.SysProcAttr{
		Setsid:     true,
		Pdeathsig:  unix.SIGKILL,
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
	}
	return cmd
}

// encodeOrder returns the job as the process reads it, in front of the layer.
func encodeOrder(job Job) ([]byte, error) {
	data, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...), nil
}

// head keeps the beginning of what is written to it.
type head struct {
	buf bytes.Buffer
	max int
}

// Write never fails.
func (h *head) Write(p []byte) (int, error) {
	h.buf.Write(p[:min(len(p), h.max-h.buf.Len())])
	return len(p), nil
}

func (h *head) line() string {
	first, _, _ := strings.Cut(strings.TrimSpace(h.buf.String()), "\n")
	return first
}
