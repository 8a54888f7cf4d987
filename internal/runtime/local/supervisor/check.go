package supervisor

import (
	"context"
	"fmt"
	"os"
	"time"

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
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("run health check: %w", err)
	}
	defer func() { _ = null.Close() }()
	p := c.another(c.spec.Check.Args)
	p.Stdin, p.Stdout, p.Stderr = null, null, null
	if err := c.join(p); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.spec.Check.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = p.Signal(unix.SIGKILL) })
	defer stop()
	state, err := c.await(p)
	if err != nil {
		return fmt.Errorf("run health check: %w", err)
	}
	if !state.Success() {
		return fmt.Errorf("health check: %s", state)
	}
	return nil
}
