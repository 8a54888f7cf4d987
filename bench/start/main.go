// Command start measures how long the local runtime takes from an order to an
// HTTP answer from inside the new task, for one task at a time and for many at
// once, and what CPU a task's start and stop cost. Run it as root, on an idle
// machine:
//
//	go run ./bench/start
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/model"
	engine "neargate/internal/runtime"
	"neargate/internal/runtime/local"
)

func main() {
	local.Dispatch()
	var o options
	flag.IntVar(&o.single, "single", 20, "starts, one after the other")
	flag.IntVar(&o.many, "many", 20, "tasks started at once")
	flag.IntVar(&o.rounds, "rounds", 5, "how often many are started at once")
	flag.IntVar(&o.cpu, "cpu", 256, "CPU units of a task")
	flag.Parse()
	if err := run(context.Background(), o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}

type options struct{ single, many, rounds, cpu int }

// image is one directory with the workshop's app in it.
type image struct{ layer string }

func (image) Resolve(context.Context, engine.Image) (string, error) { return "sha256:bench", nil }

func (i image) Unpack(context.Context, engine.Image) (local.Rootfs, func(), error) {
	return local.Rootfs{
		Digest: "sha256:bench", Layers: []string{i.layer},
		Config: model.ImageConfig{EntryPoint: []string{"/app"}},
	}, func() {}, nil
}

func (i image) Hold(string) (func(), error) { return func() {}, nil }

type sink struct{}

func (sink) Append(context.Context, string, string, []model.LogLine) error { return nil }

func run(ctx context.Context, o options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "neargate-bench")
	if err != nil {
		return err
	}
	layer := filepath.Join(dir, "layer")
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(layer, "app"), "neargate/examples/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the app: %w", err)
	}
	e, err := local.Open(ctx, local.Config{DataDir: dir, Ephemeral: true}, image{layer}, sink{}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, e.Close(ctx), local.Cleanup(ctx, dir)) }()
	b := bench{e, o}
	fmt.Fprintf(out, "%s, %d cores, %d CPU units a task; median (least to most)\n", runtime.Version(), runtime.NumCPU(), o.cpu)
	if err := b.report(ctx, out, "one", 1, o.single); err != nil {
		return err
	}
	return b.report(ctx, out, fmt.Sprintf("%d at once", o.many), o.many, o.rounds)
}

type bench struct {
	*local.Engine
	options
}

func (b bench) report(ctx context.Context, out io.Writer, name string, n, rounds int) error {
	var running, answering, stopped, cpu []time.Duration
	if _, err := b.round(ctx, n); err != nil { // a first one warms the caches
		return err
	}
	for range rounds {
		r, err := b.round(ctx, n)
		if err != nil {
			return err
		}
		running, answering = append(running, r.running), append(answering, r.answering)
		stopped, cpu = append(stopped, r.stopped), append(cpu, r.cpu/time.Duration(n))
	}
	fmt.Fprintf(out, "%-12s running %s · answering %s · stopped %s · CPU a start and stop %s\n",
		name, spread(running), spread(answering), spread(stopped), spread(cpu))
	return nil
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Millisecond)) }
	return fmt.Sprintf("%s ms (%s to %s)", ms(d[len(d)/2]), ms(d[0]), ms(d[len(d)-1]))
}

// result is what a round took, until the last of its tasks was there.
type result struct{ running, answering, stopped, cpu time.Duration }

func (b bench) round(ctx context.Context, n int) (result, error) {
	var r result
	ids := make([]string, n)
	began, before := time.Now(), used()
	runs, answers := make([]time.Duration, n), make([]time.Duration, n)
	group, gctx := errgroup.WithContext(ctx)
	for i := range n {
		group.Go(func() error {
			state, err := b.Start(gctx, b.spec())
			if err != nil {
				return err
			}
			ids[i], runs[i] = state.ID, time.Since(began)
			err = answer(gctx, "http://"+state.IP+":8080/")
			answers[i] = time.Since(began)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return r, err
	}
	r.running, r.answering = slices.Max(runs), slices.Max(answers)
	began = time.Now()
	group, gctx = errgroup.WithContext(ctx)
	for _, id := range ids {
		group.Go(func() error {
			if err := b.Stop(gctx, id, time.Second); err != nil {
				return err
			}
			return b.Forget(gctx, id)
		})
	}
	err := group.Wait()
	r.stopped, r.cpu = time.Since(began), used()-before
	return r, err
}

func (b bench) spec() model.TaskSpec {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return model.TaskSpec{
		ID: hex.EncodeToString(id[:]), CPUUnits: b.cpu, MemoryMiB: 512,
		Containers: []model.ContainerSpec{{
			ContainerDefinition: model.ContainerDefinition{Name: "app", Image: "app", Essential: true},
			LogGroup:            "/bench", LogStream: "app",
		}},
	}
}

// answer asks until the task answers. It looks often: the pause is part of the
// figure.
func answer(ctx context.Context, url string) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// used is the CPU of this process and of those it has waited for: supervisors
// and, through them, containers.
func used() time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err == nil {
			total += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
	}
	return total
}
