// Command pull measures how long the server takes to pull and unpack an image of
// 200 MB in 12 layers from a registry on loopback, beside skopeo copy and tar,
// and what memory it takes. It needs root, docker-registry and skopeo:
//
//	go run ./bench/pull
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"neargate/bench/rig"
	"neargate/internal/registry/layer"
	"neargate/internal/runtime/local/seccomp"
)

// The goals.
const (
	maxRatio  = 1.2
	maxMemory = 100 << 20 // bytes above idle
)

func main() {
	layer.Dispatch(seccomp.Install)
	if len(os.Args) == 4 && os.Args[1] == pullerArgument {
		if err := pullOnce(context.Background(), os.Args[2], os.Args[3], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "pulls of each kind, in turns")
	flag.IntVar(&o.megabytes, "size", 200, "of the image, compressed, in MB")
	flag.IntVar(&o.layers, "layers", 12, "of the image")
	flag.Parse()
	rig.Main("pull", func(ctx context.Context, out io.Writer) error { return run(ctx, o, out) })
}

type options struct{ rounds, megabytes, layers int }

func run(ctx context.Context, o options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "neargate-pull-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	reg, err := startRegistry(ctx, filepath.Join(dir, "registry"))
	if err != nil {
		return err
	}
	defer reg.stop()
	bytes, err := pushImage(ctx, reg.host, filepath.Join(dir, "image"), o)
	if err != nil {
		return fmt.Errorf("push the image: %w", err)
	}
	fmt.Fprintf(out, "%s\nimage of %.0f MB in %d layers, from docker-registry on loopback\n", rig.Machine(), float64(bytes)/1e6, o.layers)
	var theirs, ours []time.Duration
	var memory, all int64
	for i := range o.rounds {
		took, err := bySkopeo(ctx, reg.host, filepath.Join(dir, "skopeo"))
		if err != nil {
			return err
		}
		p, err := pull(ctx, reg.host, filepath.Join(dir, "ours"))
		if err != nil {
			return err
		}
		theirs, ours = append(theirs, took), append(ours, p.Took)
		memory, all = max(memory, p.Server), max(all, p.All)
		fmt.Fprintf(out, "round %d: skopeo copy and tar %.2f s, pull %.2f s, ratio %.2f\n", i+1, took.Seconds(), p.Took.Seconds(), p.Took.Seconds()/took.Seconds())
	}
	ratio := median(ours).Seconds() / median(theirs).Seconds()
	fmt.Fprintf(out, "medians: skopeo copy and tar %.2f s, pull %.2f s\n", median(theirs).Seconds(), median(ours).Seconds())
	fmt.Fprintf(out, "ratio %.2f, at most %.1f: %s\n", ratio, maxRatio, rig.Verdict(ratio <= maxRatio))
	fmt.Fprintf(out, "memory above idle %.0f MB (%.0f MB with the processes that unpack), at most %d MB: %s\n",
		float64(memory)/(1<<20), float64(all)/(1<<20), maxMemory>>20, rig.Verdict(all <= maxMemory))
	return nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}
