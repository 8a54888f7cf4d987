package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"neargate/internal/app"
	"neargate/internal/cli/demo"
)

func demoCommand() *cobra.Command {
	cfg := demo.Default()
	full, level := false, "warn"
	cmd := &cobra.Command{
		Use: "demo", Short: "See a service scale itself under load", Args: noArgs,
		Long: `Start a server of its own, take a container image to a load-balanced service, give
it a scaling policy, send load, and show tasks come and go. Everything that it
made is removed at the end; the report stays in --out.`,
		Example: `  neargate demo
  neargate demo --users 20 --hold 2m --max 10
  neargate demo --tls                over HTTPS
  neargate demo --full               the workshop's 20 minutes`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if full {
				ramp, hold := cmd.Flags().Changed("ramp"), cmd.Flags().Changed("hold")
				if ramp || hold {
					return misuse{errors.New("--full sets --ramp and --hold itself; give one or the other")}
				}
				cfg = cfg.Full()
			}
			if err := cfg.Validate(); err != nil {
				return misuse{err}
			}
			return runDemo(cmd.Context(), cfg, level, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Out, "out", cfg.Out, "directory for the report")
	f.IntVar(&cfg.Users, "users", cfg.Users, "users at the peak")
	f.DurationVar(&cfg.Ramp, "ramp", cfg.Ramp, "time in which the users come")
	f.DurationVar(&cfg.Hold, "hold", cfg.Hold, "time for which they stay")
	f.IntVar(&cfg.CPU, "task-cpu", cfg.CPU, "CPU units of a task; 1024 are one vCPU")
	f.IntVar(&cfg.Min, "min", cfg.Min, "least tasks")
	f.IntVar(&cfg.Max, "max", cfg.Max, "most tasks")
	f.Float64Var(&cfg.Target, "target", cfg.Target, "CPU percent that the policy aims at")
	f.BoolVar(&cfg.TLS, "tls", cfg.TLS, "HTTPS to the load balancer, with a certificate by the server's own authority")
	f.BoolVar(&full, "full", false, "the workshop's run: 5 minutes of ramp, 20 in all")
	f.StringVar(&level, "log-level", level, "of the server: debug, info, warn or error")
	return cmd
}

// runDemo runs a demo against a server of its own in a directory of its own.
func runDemo(ctx context.Context, cfg demo.Config, level string, out, errOut io.Writer) error {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		cfg.Terminal = true
		cfg.Width, _, _ = term.GetSize(int(f.Fd()))
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's file: %w", err)
	}
	log, err := newLogger(errOut, level)
	if err != nil {
		return err
	}
	listen, err := freePort(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	begin := time.Now()
	err = withServer(ctx, listen, log, func(ctx context.Context, srv *app.Server) error {
		taken := ""
		if listen != cfg.Listen {
			taken = " (" + cfg.Listen + " is taken)"
		}
		fmt.Fprintf(out, "%-14s %s%s (%.1f s)\n", "server", srv.Endpoint(), taken, time.Since(begin).Seconds())
		return demo.Run(ctx, cfg, access(srv), exe, out, log)
	})
	if abs, absErr := filepath.Abs(cfg.Out); absErr == nil && err == nil {
		fmt.Fprintf(out, "%-14s %s\n", "report", filepath.Join(abs, "report.html"))
	}
	return err
}
