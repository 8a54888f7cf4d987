// Package demo is `neargate demo`: it takes a container image to a
// load-balanced service, gives it a scaling policy, sends load, and shows tasks
// come and go. It uses the server's AWS APIs through the AWS SDK alone, as any
// user would.
package demo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"

	"neargate/internal/cli/report"
)

// Config is what can be set about a run.
type Config struct {
	Out   string // directory for the report
	Users int
	Ramp  time.Duration
	Hold  time.Duration
	CPU   int // CPU units of one task
	Min   int
	Max   int
	// Target is the CPU percent that the policy aims at.
	Target float64
	// Listen is where the server should answer; when taken, the next free port.
	Listen string
	// ListenerPorts are tried one after the other for the load balancer.
	ListenerPorts []int32
	// TLS has the load balancer speak HTTPS, with a certificate of the server's own.
	TLS bool
	// SecurePorts are tried one after the other for it then.
	SecurePorts []int32
	// Terminal says that output goes to a terminal of the given width.
	Terminal bool
	Width    int
}

// Default is the run of at most four minutes.
func Default() Config {
	return Config{
		Out: "neargate-demo", Users: 50, Ramp: 30 * time.Second, Hold: 70 * time.Second,
		CPU: 256, Min: 2, Max: 20, Target: 50, Listen: "127.0.0.1:4566", ListenerPorts: []int32{80, 8080, 8081, 8888, 18080},
		SecurePorts: []int32{443, 8443, 18443},
	}
}

// Full is the workshop's run: 5 minutes of ramp, 20 in all.
func (c Config) Full() Config {
	c.Ramp, c.Hold = 5*time.Minute, 15*time.Minute
	return c
}

// memoryOf returns the smallest memory in MiB that Fargate allows for a CPU size,
// 0 for what is no size.
func memoryOf(cpu int) int {
	switch cpu {
	case 256, 512, 1024, 2048, 4096:
		return 2 * cpu
	}
	return 0
}

// Validate names everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if c.Users < 1 {
		errs = append(errs, fmt.Errorf("--users %d: at least 1", c.Users))
	}
	if c.Ramp < 0 || c.Hold <= 0 {
		errs = append(errs, fmt.Errorf("--ramp %v --hold %v: ramp must not be negative, hold must be above 0", c.Ramp, c.Hold))
	}
	if memoryOf(c.CPU) == 0 {
		errs = append(errs, fmt.Errorf("--task-cpu %d: one of 256, 512, 1024, 2048, 4096", c.CPU))
	}
	if c.Min < 1 || c.Max <= c.Min {
		errs = append(errs, fmt.Errorf("--min %d --max %d: min must be at least 1 and max above it", c.Min, c.Max))
	}
	if !(c.Target > 0 && c.Target <= 100) {
		errs = append(errs, fmt.Errorf("--target %v: above 0 and at most 100", c.Target))
	}
	if c.Out == "" {
		errs = append(errs, errors.New("--out: name a directory"))
	}
	return errors.Join(errs...)
}

// Server is the running server that a demo uses.
type Server struct {
	Endpoint  string // http://127.0.0.1:4566
	Region    string
	AccessKey string
	SecretKey string
}

// ErrVerdict is wrapped by the error of a run that went through but did not
// show what it should.
var ErrVerdict = errors.New("demo did not pass")

// Run does the whole demo against a server and leaves the report in cfg.Out.
// The error says in one line what went wrong.
func Run(ctx context.Context, cfg Config, srv Server, exe string, out io.Writer, log *slog.Logger) error {
	if err := os.MkdirAll(cfg.Out, 0o755); err != nil {
		return fmt.Errorf("make the report's directory: %w", err)
	}
	if info, err := os.Lstat(cfg.Out); err != nil || !info.IsDir() {
		return fmt.Errorf("report's directory: %s is a link; name the directory itself", cfg.Out)
	}
	v := newView(out, cfg.Terminal, cfg.Width)
	defer v.close()
	d := &run{cfg: cfg, srv: srv, exe: exe, aws: newClients(srv), view: v, log: log}
	if err := d.setUp(ctx); err != nil {
		return err
	}
	rec, err := d.loadAndWatch(ctx)
	if rec != nil {
		if werr := d.write(rec); werr != nil {
			err = errors.Join(err, werr)
		}
	}
	if err != nil {
		return err
	}
	v.summary(rec.run)
	if err := d.tearDown(ctx); err != nil {
		return fmt.Errorf("tear down: %w", err)
	}
	if !rec.run.Passed {
		return fmt.Errorf("%w: %s", ErrVerdict, rec.run.Verdict)
	}
	return nil
}

// run is one demo under way.
type run struct {
	cfg  Config
	srv  Server
	exe  string
	aws  clients
	view *view
	log  *slog.Logger

	// Filled by setUp.
	network      Network
	imageURI     string
	targetGroup  string // ARN
	balancer     string // ARN
	dnsName      string
	address      string // the load balancer's own loopback address
	listenerPort int32
	certificate  string         // ARN, with TLS
	roots        *x509.CertPool // with TLS
	cost         time.Duration
	pace         time.Duration
}

// write leaves the record's four files in the out directory.
func (d *run) write(rec *record) error {
	files := []struct {
		name   string
		render func(io.Writer, report.Run) error
	}{
		{"report.html", report.HTML},
		{"load-testing.png", report.PNG},
		{"events.txt", report.Events},
		{"metrics.csv", report.CSV},
	}
	for _, f := range files {
		path := filepath.Join(d.cfg.Out, f.name)
		if err := writeFile(path, func(w io.Writer) error { return f.render(w, rec.run) }); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// writeFile creates a file of its own: what has the name before, perhaps a link to
// somewhere else, goes.
func writeFile(path string, fill func(io.Writer) error) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a report, for everybody to read
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Close())
}

// taskVCPU is what one task may use.
func (c Config) taskVCPU() float64 { return float64(c.CPU) / 1024 }

// need is how many tasks an offered load needs at the target.
func (c Config) need(vcpu float64) int {
	return int(math.Ceil(vcpu / (c.Target / 100 * c.taskVCPU())))
}
