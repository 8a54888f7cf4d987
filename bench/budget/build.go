package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The budgets of what is built and tested.
const (
	buildBudget = 6 * time.Minute // CPU
	sizeBudget  = 90              // MB
	testsBudget = 5 * time.Minute
)

const megabyte = 1_000_000

// build builds the binary with an empty build cache. The modules are there
// before the clock starts.
func build(ctx context.Context, _ options, dir string) ([]line, error) {
	if _, err := goCommand(ctx, nil, "list", "-deps", "neargate/cmd/neargate"); err != nil {
		return nil, err
	}
	cache := filepath.Join(dir, "gocache")
	used, err := goCommand(ctx, []string{"GOCACHE=" + cache}, "build", "-o", binaryIn(dir), "neargate/cmd/neargate")
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(cache); err != nil {
		return nil, err
	}
	file, err := os.Stat(binaryIn(dir))
	if err != nil {
		return nil, err
	}
	size := float64(file.Size()) / megabyte
	return []line{
		{"cold go build ./cmd/neargate, CPU time", fmt.Sprintf("%.0f s", used.Seconds()), fmt.Sprintf("%.0f s", buildBudget.Seconds()), used <= buildBudget},
		{"binary", fmt.Sprintf("%.1f MB", size), fmt.Sprintf("%d MB", sizeBudget), size <= sizeBudget},
	}, nil
}

// tests takes the time of the whole suite, compiled before.
func tests(ctx context.Context, o options, _ string) ([]line, error) {
	if !o.tests {
		return nil, nil
	}
	if _, err := goCommand(ctx, nil, "test", "-run", "^$", "neargate/..."); err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := goCommand(ctx, nil, "test", "-count=1", "neargate/..."); err != nil {
		return nil, err
	}
	took := time.Since(began)
	return []line{{"test suite, compiled before", fmt.Sprintf("%.0f s", took.Seconds()), fmt.Sprintf("%.0f s", testsBudget.Seconds()), took <= testsBudget}}, nil
}

// goCommand runs the go command and gives the CPU time that it used, with all
// that it started.
func goCommand(ctx context.Context, env []string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go %s: %w\n%s", args[0], err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
