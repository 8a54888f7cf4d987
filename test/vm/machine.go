package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// machine is a virtual machine to be booted once.
type machine struct {
	kernel, initrd, disk string
	console              string // file that takes what the kernel prints
}

// consoleLines is how much of the console is shown when the machine failed.
const consoleLines = 40

// boot runs the machine until it powers itself off and writes the results of
// its tests to out. Any end but that after the last step is an error.
func (m machine) boot(ctx context.Context, out io.Writer) error {
	cmd := exec.CommandContext(ctx, emulator,
		// Emulated: not every /dev/kvm of a CI's own virtual machine works.
		"-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", "2", "-m", "3072",
		"-nodefaults", "-display", "none", "-no-reboot",
		"-chardev", "stdio,id=report,signal=off",
		"-serial", "file:"+m.console, "-serial", "chardev:report",
		"-drive", "file="+m.disk+",if=virtio,format=raw,cache=unsafe",
		"-kernel", m.kernel, "-initrd", m.initrd,
		// A panic restarts the machine at once, which ends the emulator.
		"-append", "console=ttyS0 panic=-1 oops=panic mitigations=off rdinit=/init")
	var errs strings.Builder
	cmd.Stderr = &errs
	frames, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", emulator, err)
	}
	fmt.Fprintln(os.Stderr, "vm: booted")
	resultErr := report(ctx, frames, out)
	_, _ = io.Copy(io.Discard, frames) // until the machine is off
	err = cmd.Wait()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case resultErr == nil && err == nil:
		return nil
	case errors.Is(resultErr, errFailed):
		return resultErr
	}
	return fmt.Errorf("%w\n%slast lines of the console:\n%s", errors.Join(err, resultErr), errs.String(), m.tail())
}

// tail gives the last lines that the kernel printed.
func (m machine) tail() string {
	data, err := os.ReadFile(m.console)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-consoleLines):], "\n")
}
