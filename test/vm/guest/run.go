package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"neargate/test/vm/plan"
)

// reporter writes frames to the serial port that the runner reads.
type reporter struct{ w io.Writer }

func openReporter() (*reporter, error) {
	f, err := os.OpenFile("/dev/ttyS1", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	// Raw: nothing is echoed, and no newline is changed.
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("set up the serial port: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("set up the serial port: %w", err)
	}
	return &reporter{f}, nil
}

func (r *reporter) send(f plan.Frame) {
	data, err := json.Marshal(f)
	if err == nil {
		_, err = r.w.Write(append(data, '\n'))
	}
	if err != nil {
		fmt.Println("guest: report:", err)
	}
}

// run does the plan's steps, one after the other.
func run(r *reporter) error {
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("bring up loopback: %w: %s", err, out)
	}
	data, err := os.ReadFile(plan.File)
	if err != nil {
		return err
	}
	var p plan.Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	for _, s := range p.Steps {
		restore, err := deprive(s.Lacks)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		code, err := runStep(r, s)
		if err := errors.Join(err, restore()); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		r.send(plan.Frame{Step: s.Name, Exit: &code})
	}
	r.send(plan.Frame{Done: true})
	return nil
}

// runStep runs one test binary and passes on what it prints.
func runStep(r *reporter, s plan.Step) (code int, err error) {
	cmd := exec.Command(s.Binary, s.Args...)
	cmd.Dir, cmd.Env = s.Dir, append(os.Environ(), s.Env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.send(plan.Frame{Step: s.Name, Output: line})
		}
		if err != nil {
			break // all has been said
		}
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if code = exit.ExitCode(); code < 0 {
			r.send(plan.Frame{Step: s.Name, Output: exit.String() + "\n"})
			code = 1
		}
		return code, nil
	}
	return 0, err
}
