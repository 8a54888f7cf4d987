// Command forward is a log router made of other people's code: the OpenTelemetry
// Collector's receiver of Fluentd's forward protocol. It listens on a Unix socket
// and prints a line of JSON for each record. Of its batches it refuses one in so
// many, which are not acknowledged then.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/fluentforwardreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: forward SOCKET REFUSE-ONE-IN")
		os.Exit(2)
	}
	refuse, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = route(os.Args[1], refuse)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
}

// route takes records until it is told to stop.
func route(socket string, refuse int) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	next, err := consumer.NewLogs((&printer{refuse: refuse}).print)
	if err != nil {
		return err
	}
	factory := fluentforwardreceiver.NewFactory()
	settings := receiver.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger: zap.NewNop(), MeterProvider: noop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
		},
	}
	cfg := factory.CreateDefaultConfig()
	cfg.(*fluentforwardreceiver.Config).ListenAddress = "unix://" + socket
	r, err := factory.CreateLogs(ctx, settings, cfg, next)
	if err != nil {
		return err
	}
	if err := r.Start(ctx, nil); err != nil {
		return err
	}
	<-ctx.Done()
	return r.Shutdown(context.WithoutCancel(ctx))
}

// printer prints batches, but for one in so many; 0: all.
type printer struct {
	refuse int

	mu  sync.Mutex
	got int // guarded by mu
}

var errRefused = errors.New("this one is refused")

func (p *printer) print(_ context.Context, batch plog.Logs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.got++; p.refuse > 0 && p.got%p.refuse == 0 {
		return errRefused
	}
	out := json.NewEncoder(os.Stdout)
	for _, resource := range batch.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				fields := record.Attributes().AsRaw()
				fields["at"], fields["body"] = record.Timestamp().AsTime(), record.Body().AsString()
				if err := out.Encode(fields); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
