package handover_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"neargate/internal/handover"
)

// refusing is a server that no process may replace.
type refusing struct{ t *testing.T }

func (refusing) Refuses(int) error { return errors.New("not by you") }
func (refusing) Prepare() error    { return nil }
func (r refusing) Give() []byte    { r.t.Error("the state was given away"); return nil }
func (r refusing) Gone(int)        { r.t.Error("a successor serves") }

// TestHangingSuccessors has a server start programs that hang: before they call, and
// after they were refused. Each is killed, and the next one is started.
func TestHangingSuccessors(t *testing.T) {
	for name, row := range map[string]struct {
		calls    bool
		patience time.Duration
		want     string
	}{
		"at start":     {false, 100 * time.Millisecond, "it did not call within"},
		"when refused": {true, 3 * time.Second, "not by you"}, // long enough to call in
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			calls := "nobody"
			if row.calls {
				calls = dir
			}
			started := make(chan *os.Process, 3)
			door, err := handover.OpenDoor(dir, handover.DoorConfig{
				Host: refusing{t}, Sockets: handover.NewSockets(), Log: slog.New(slog.DiscardHandler), Patience: row.patience,
				Start: func(bool) (*os.Process, error) {
					child, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], "-test.run=^TestHang$"}, &os.ProcAttr{
						Env: append(os.Environ(), hangVariable+"="+calls), Files: []*os.File{nil, nil, os.Stderr},
					})
					started <- child
					return child, err
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			var serving sync.WaitGroup
			serving.Go(func() { door.Serve(ctx) })
			defer serving.Wait()
			defer stop()
			for range 2 {
				_, err := handover.Restart(dir)
				if refused, ok := errors.AsType[*handover.Refused](err); !ok || !strings.Contains(refused.Why, row.want) {
					t.Errorf("got %v, want %q", err, row.want)
				}
			}
			if len(started) != 2 {
				t.Fatalf("%d successors were started, want 2", len(started))
			}
			for range 2 {
				if child := <-started; !errors.Is(child.Signal(os.Interrupt), os.ErrProcessDone) {
					t.Errorf("process %d has not ended", child.Pid)
				}
			}
		})
	}
}

// hangVariable holds the data directory of the server that TestHang calls, or nobody.
const hangVariable = "NEARGATE_TEST_HANG"

// TestHang is the successor of TestHangingSuccessors.
func TestHang(t *testing.T) {
	switch dir := os.Getenv(hangVariable); dir {
	case "":
		t.Skip("it is run by TestHangingSuccessors")
	case "nobody":
	default:
		if _, err := handover.Join(dir); err == nil {
			t.Fatal("it was let in")
		}
	}
	select {} // until it is killed
}
