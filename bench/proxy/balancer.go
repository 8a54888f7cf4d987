package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"neargate/internal/balancer"
	"neargate/internal/model"
	"neargate/internal/store"
)

// proxyBalancer is the data plane as "neargate serve" has it: a load balancer with
// a listener, rules, a target group with probes, counters. Only what else the server
// does is not there.
func proxyBalancer(ctx context.Context, addr string, backends []string) error {
	dir, err := os.MkdirTemp("", "proxy-bench-balancer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	b, err := balancer.New(db, slog.New(slog.DiscardHandler), balancer.Config{Place: model.Place{Region: "us-east-1", Account: "000000000000"}})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	select {
	case <-b.Ready():
	case err := <-ended:
		return err
	}
	if err := furnish(ctx, b, addr, backends); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return nil
}

// furnish creates what is measured: the request takes the last of the rules.
func furnish(ctx context.Context, b *balancer.Balancer, addr string, backends []string) error {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	group, err := b.CreateTargetGroup(ctx, model.TargetGroup{
		Name: "bench", Protocol: "HTTP", Port: 80, TargetType: "ip",
		HealthCheck: model.HealthCheck{
			Path: "/100", Matcher: "200", Interval: 5 * time.Second, Timeout: 2 * time.Second, HealthyThreshold: 2, UnhealthyThreshold: 2,
		},
	})
	if err != nil {
		return err
	}
	var targets []model.Target
	for _, backend := range backends {
		at, err := netip.ParseAddrPort(backend)
		if err != nil {
			return err
		}
		targets = append(targets, model.Target{IP: at.Addr().String(), Port: int(at.Port())})
	}
	if err := b.RegisterTargets(ctx, group.ARN, targets); err != nil {
		return err
	}
	lb, err := b.CreateLoadBalancer(ctx, model.LoadBalancer{Name: "bench"})
	if err != nil {
		return err
	}
	actions := []model.Action{{Type: "forward", Forward: []model.WeightedTargetGroup{{TargetGroupARN: group.ARN, Weight: 1}}}}
	listener, err := b.CreateListener(ctx, model.Listener{LoadBalancerARN: lb.ARN, Port: port, Protocol: "HTTP", DefaultActions: actions})
	if err != nil {
		return err
	}
	for i, path := range []string{"/api/*", "/static/*", "/*.html", "/1*"} {
		_, err := b.CreateRule(ctx, model.Rule{
			ListenerARN: listener.ARN, Priority: i + 1, Actions: actions,
			Conditions: []model.Condition{{Field: "path-pattern", Values: []string{path}}},
		})
		if err != nil {
			return fmt.Errorf("rule %s: %w", path, err)
		}
	}
	return nil
}
