package autoscaler

import (
	"context"
	"testing"
	"time"

	"neargate/internal/model"
)

// A decision that panics would do so again each second and after each restart.
func TestPanicInADecisionIsThatServicesOnly(t *testing.T) {
	r := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.Observe([]model.ServiceSecond{{Cluster: "c", Service: "panic"}})
	r.Observe([]model.ServiceSecond{{Cluster: "c", Service: "web"}})
	for deadline := time.Now().Add(10 * time.Second); len(r.Autoscaler.seconds) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the next second is not decided")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
