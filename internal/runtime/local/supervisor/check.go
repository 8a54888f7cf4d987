package supervisor

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"
)

// check runs the container's health check at its interval and reports each change
// of its outcome, until ctx ends. Failures in the start period do not count;
// Retries of them in a row make the container unhealthy, one success healthy.
func (c *container) check(ctx context.Context, tell func(health string)) {
	begun, failures, health := time.Now(), 0, "UNKNOWN"
	spec := c.spec.Check
	timer := time.NewTimer(spec.Interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := "HEALTHY"
		if err := c.probe(ctx); err != nil {
			now = health
			if time.Since(begun) >= spec.StartPeriod {
				if failures++; failures >= spec.Retries {
					now = "UNHEALTHY"
				}
			}
		} else {
			failures = 0
		}
		if now != health && ctx.Err() == nil {
			health = now
			tell(health)
		}
		timer.Reset(spec.Interval)
	}
}

// probe runs the command once. Its output goes nowhere.
func (c *container) probe(ctx context.Context) error {
	gate, child, err := newGate()
	if err != nil {
		return err
	}
	defer gate.close()
	defer func() { _ = child.Close() }()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("run health check: %w", err)
	}
	defer func() { _ = null.Close() }()
	if err := gate.send(c.order.Filter); err != nil {
		return err
	}
	p := *c.process
	process := &libcontainer.Process{
		Args: c.spec.Check.Args, Env: p.Env, Cwd: p.Cwd, UID: p.UID, GID: p.GID,
		AdditionalGroups: p.AdditionalGroups, Rlimits: p.Rlimits,
		Stdin: null, Stdout: null, Stderr: null, ExtraFiles: []*os.File{child},
	}
	if err := c.handle.Run(process); err != nil {
		c.reapOrphans()
		return cleanError(err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.spec.Check.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = process.Signal(unix.SIGKILL) })
	defer stop()
	state, err := process.Wait()
	if err != nil {
		return fmt.Errorf("run health check: %w", err)
	}
	if !state.Success() {
		return fmt.Errorf("health check: %s", state)
	}
	return nil
}
