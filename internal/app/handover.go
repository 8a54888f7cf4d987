package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"neargate/internal/balancer/front"
	"neargate/internal/handover"
	"neargate/internal/runtime"
)

// lastGrace is how long connections that are left to a server which was replaced may
// go on when that is told to stop.
const lastGrace = 5 * time.Second

// handing is a server that can be replaced: handover.Host.
type handing struct {
	s       *Server
	serving context.CancelCauseFunc // ends the APIs, and with them all that decides
	decided <-chan struct{}         // closed when nothing decides any more

	end  context.Context // of what is left of it
	cut  context.CancelFunc
	work sync.WaitGroup // its end
	// passes are those of the balancer and of Service Connect.
	passes []*front.Pass
}

func (s *Server) newHanding(ctx context.Context, serving context.CancelCauseFunc, decided <-chan struct{}) *handing {
	h := &handing{s: s, serving: serving, decided: decided}
	h.end, h.cut = context.WithCancel(context.WithoutCancel(ctx))
	return h
}

// Refuses implements handover.Host.
func (h *handing) Refuses(pid int) error {
	if h.s.cfg.Notify != "" && parent(pid) != os.Getpid() {
		return errors.New("it is a unit of the init system: neargate restart, or systemctl reload, has it start its successor itself")
	}
	if inContainer() {
		return errors.New("it is what its container runs: replace the container")
	}
	return nil
}

// inContainer reports whether the first process is this program: it ends with its
// first child.
func inContainer() bool {
	first, err := os.Stat("/proc/1/exe")
	if err != nil {
		return false
	}
	own, err := os.Stat("/proc/self/exe")
	return err == nil && os.SameFile(first, own)
}

// parent returns the parent of a process; 0 where it is not known.
func parent(pid int) int {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything but that
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return ppid
}

// Prepare implements handover.Host.
func (h *handing) Prepare() error { return h.s.parts.db.KeepCopy() }

// Give implements handover.Host.
func (h *handing) Give() []byte {
	s, p := h.s, h.s.parts
	s.log.Info("another process takes over")
	s.passed.Store(true)
	serving, between := front.NewPass(h.end), front.NewPass(h.end)
	h.passes = []*front.Pass{serving, between}
	p.balancer.Pass(serving)
	p.connect.Pass(between)
	if e, ok := p.engine.(runtime.Passer); ok {
		e.Pass()
	}
	h.serving(errPassed)
	<-h.decided
	for _, pass := range h.passes {
		<-pass.Settled()
	}
	knows, err := json.Marshal(known{Targets: p.balancer.Known()})
	if err := errors.Join(err, p.close(h.end)); err != nil {
		s.log.Error("let go of the state", "error", err)
	}
	return knows
}

var errPassed = errors.New("another process takes over")

// Gone implements handover.Host.
func (h *handing) Gone(pid int) {
	s := h.s
	if err := handover.Notify(h.end, s.cfg.Notify, fmt.Sprintf("MAINPID=%d", pid), "READY=1"); err != nil {
		s.log.Error("the init system does not know the successor", "error", err)
	}
	s.log.Info("server handed over; it ends with its last connection", "to", pid, "at_most", s.cfg.Linger)
	for _, pass := range h.passes {
		pass.Retire()
	}
	h.work.Go(h.linger)
}

// alone is how long a server that was replaced goes on when no other runs: the next
// one may just be starting.
const alone = 10 * time.Second

// linger waits until what is left may go on no longer: for so long, or until no server
// runs on the data directory any more, as all of them were stopped.
func (h *handing) linger() {
	var over <-chan time.Time
	if h.s.cfg.Linger > 0 {
		timer := time.NewTimer(h.s.cfg.Linger)
		defer timer.Stop()
		over = timer.C
	}
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for seen := time.Now(); time.Since(seen) < alone; {
		select {
		case <-h.end.Done():
			return
		case <-over:
			h.s.log.Info("connections are cut that have outlived their server", "after", h.s.cfg.Linger)
			h.cut()
			return
		case <-look.C:
			if runs, known := Runs(h.s.cfg.Data); runs || !known {
				seen = time.Now()
			}
		}
	}
	h.s.log.Info("no server runs any more: connections are cut that have outlived theirs")
	h.cut()
}

// stop has what is left end soon, when the server was told to stop.
func (h *handing) stop() { time.AfterFunc(lastGrace, h.cut) }
