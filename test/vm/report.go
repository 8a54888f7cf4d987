package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"neargate/test/vm/plan"
)

// errFailed means that the machine did its work, and tests failed.
var errFailed = errors.New("tests failed in the virtual machine")

// marker begins the lines of a test binary that are its own, not its tests'.
const marker = "\x16"

// maxFrame bounds a line from the guest.
const maxFrame = 4 << 20

// report reads the guest's frames and writes test events, as "go test -json"
// does, until the guest is done. A guest that ends before is an error.
func report(ctx context.Context, frames io.Reader, out io.Writer) error {
	var failed bool
	var current *converter
	defer func() {
		if current != nil {
			_ = current.end(false)
		}
	}()
	lines := bufio.NewScanner(frames)
	lines.Buffer(nil, maxFrame)
	for lines.Scan() {
		var f plan.Frame
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return fmt.Errorf("read the machine's report: %w: %q", err, lines.Text())
		}
		switch {
		case f.Error != "":
			return errors.New("in the machine: " + f.Error)
		case f.Done && failed:
			return errFailed
		case f.Done:
			return nil
		case current == nil:
			var err error
			if current, err = newConverter(ctx, f.Step, out); err != nil {
				return err
			}
		}
		if f.Exit != nil {
			failed = failed || *f.Exit != 0
			err := current.end(*f.Exit == 0)
			current = nil
			if err != nil {
				return err
			}
			continue
		}
		if _, err := io.WriteString(current.in, f.Output); err != nil {
			return fmt.Errorf("convert results: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the machine's report: %w", err)
	}
	return errors.New("the machine ended before its tests had")
}

// converter makes events of one test binary's output, by the go tool.
type converter struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

func newConverter(ctx context.Context, name string, out io.Writer) (*converter, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "test2json", "-t", "-p", name)
	cmd.Stdout = out
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("convert results: %w", err)
	}
	return &converter{cmd, in}, nil
}

// end closes the output. A binary that failed may have printed PASS before.
func (c *converter) end(passed bool) error {
	if !passed {
		_, _ = io.WriteString(c.in, "\n"+marker+"FAIL\n")
	}
	if err := errors.Join(c.in.Close(), c.cmd.Wait()); err != nil {
		return fmt.Errorf("convert results: %w", err)
	}
	return nil
}

// skipped writes the events of one test that was skipped.
func skipped(out io.Writer, reason string) error {
	const pkg, test = "neargate/test/vm", "TestVirtualMachine"
	enc := json.NewEncoder(out)
	for _, e := range []map[string]string{
		{"Action": "start", "Package": pkg},
		{"Action": "run", "Package": pkg, "Test": test},
		{"Action": "output", "Package": pkg, "Test": test, "Output": "    vm: " + reason + "\n"},
		{"Action": "output", "Package": pkg, "Test": test, "Output": "--- SKIP: " + test + " (0.00s)\n"},
		{"Action": "skip", "Package": pkg, "Test": test},
		{"Action": "pass", "Package": pkg},
	} {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}
