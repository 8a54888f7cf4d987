package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"neargate/internal/app"
	"neargate/internal/cli/simulate"
	"neargate/internal/cli/stage"
)

// calibrate measures, on this machine and with real containers, what the
// workshop's computation needs and how fast a task starts.
func calibrate(ctx context.Context, cfg *simulate.Config, told, errOut io.Writer) error {
	if os.Geteuid() != 0 {
		return hinted{errors.New("--calibrate runs real containers, which needs root"), "run it with sudo, or give --demand, --cv and --start yourself"}
	}
	log, err := newLogger(errOut, "warn")
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's file: %w", err)
	}
	var c stage.Calibration
	err = withServer(ctx, "127.0.0.1:0", log, func(ctx context.Context, srv *app.Server) error {
		g, err := stage.SetUp(ctx, access(srv), exe, stage.Task{Units: cfg.CPU})
		if err != nil {
			return err
		}
		c, err = g.Calibrate(ctx, func(what string) { fmt.Fprintf(told, "calibrating: %s\n", what) })
		return err
	})
	if err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	cfg.Demand, cfg.CV, cfg.Start = c.Demand.Round(10*time.Microsecond), float64(int(c.CV*1000+0.5))/1000, c.Start.Round(time.Millisecond)
	cfg.Calibrated = fmt.Sprintf("--demand %v --cv %g --start %v: %d requests for %s, %d starts from order to healthy target (%v to %v)",
		cfg.Demand, cfg.CV, cfg.Start, c.Asked, stage.Path, len(c.Starts), slices.Min(c.Starts).Round(time.Millisecond), slices.Max(c.Starts).Round(time.Millisecond))
	return nil
}
