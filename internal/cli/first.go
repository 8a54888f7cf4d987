package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// stopTasksInside is how long a container's tasks have to stop: Docker, Podman and
// Compose kill the container 10 s after they have told it to stop, and the server
// has its own end to write in that time.
const stopTasksInside = "7s"

// runAsFirst does the duties of a container's first process, for commands that
// start others which may outlive their parent: it runs the same command line in a
// process beside it, passes signals on to it, and waits for whatever else has lost
// its parent. It returns that process's exit code. The kernel kills what is left
// then, so a server is told to stop its tasks first, unless its own flags say
// otherwise.
func runAsFirst(args []string, stderr io.Writer) int {
	if args[0] == "serve" {
		args = slices.Insert(slices.Clone(args), 1, "--stop-tasks="+stopTasksInside)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH)
	attributes := &unix.SysProcAttr{Setpgid: true}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		attributes.Foreground = true // the terminal's Ctrl-C goes to it, once
	}
	process, err := os.StartProcess("/proc/self/exe", slices.Concat(os.Args[:1], args), &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Env: os.Environ(), Sys: attributes})
	if err != nil {
		report(stderr, fmt.Errorf("start beside the first process: %w", err))
		return exitFailed
	}
	var passing sync.WaitGroup
	passing.Go(func() {
		for s := range signals {
			_ = process.Signal(s) // it may just have ended
		}
	})
	code := reapUntil(process.Pid)
	signal.Stop(signals)
	close(signals)
	passing.Wait()
	return code
}

// reapUntil waits for every child that ends, until the one does, and returns its
// exit code as shells do.
func reapUntil(pid int) int {
	for {
		var status unix.WaitStatus
		ended, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return exitFailed // there is no child, not even that one
		case ended == pid && status.Signaled():
			return 128 + int(status.Signal())
		case ended == pid && status.Exited():
			return status.ExitStatus()
		}
	}
}
