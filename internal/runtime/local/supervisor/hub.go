package supervisor

import (
	"encoding/json"
	"net"
	"sync"
	"time"
)

// hub talks to engines: usually one, none while the server is down. It takes
// their commands and sends each the latest report, then every new one.
type hub struct {
	orders   chan *Order
	stops    chan *Stop
	kills    chan *Kill
	calls    chan *call
	over     chan struct{} // closed when no command is taken any more
	orphaned chan struct{} // closed when the last engine left before an order

	mu      sync.Mutex
	conns   map[net.Conn]*json.Encoder
	report  Report
	ordered bool
	closed  bool
}

// writeLimit is how long an engine may take to read a report.
const writeLimit = 5 * time.Second

func newHub() *hub {
	return &hub{
		orders: make(chan *Order, 1), stops: make(chan *Stop, 1), kills: make(chan *Kill, 1),
		calls: make(chan *call), over: make(chan struct{}), orphaned: make(chan struct{}), conns: map[net.Conn]*json.Encoder{},
	}
}

// serve accepts engines until the listener is closed.
func (h *hub) serve(l net.Listener) {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if unix, ok := conn.(*net.UnixConn); ok && h.add(conn) {
			conns.Go(func() { h.read(unix) })
		}
	}
}

func (h *hub) add(conn net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		_ = conn.Close()
		return false
	}
	h.conns[conn] = json.NewEncoder(conn)
	h.sendLocked(conn)
	return true
}

// read takes commands from one engine until it leaves.
func (h *hub) read(conn *net.UnixConn) {
	in := &intake{conn: conn}
	defer in.close()
	decoder := json.NewDecoder(in)
	for {
		var c Command
		if err := decoder.Decode(&c); err != nil {
			break
		}
		if c.Start != nil && h.firstOrder() {
			h.orders <- c.Start
		}
		if c.Stop != nil {
			select {
			case h.stops <- c.Stop:
			default: // one is waiting already
			}
		}
		if c.Kill != nil {
			select {
			case h.kills <- c.Kill:
			default: // as above
			}
		}
		if c.Exec != nil {
			h.leave(conn)
			h.pass(&call{c.Exec, conn, in.take()})
			return
		}
	}
	_ = conn.Close()
	h.leave(conn)
}

// pass hands a command to the task, which runs it once it has its order.
func (h *hub) pass(c *call) {
	select {
	case h.calls <- c:
	case <-h.over:
		c.answer(ExecReport{Refused: "the task has ended"})
		c.close()
	}
}

// leave takes an engine off the list.
func (h *hub) leave(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, conn)
	if len(h.conns) == 0 && !h.ordered {
		h.ordered = true
		close(h.orphaned)
	}
}

func (h *hub) firstOrder() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := !h.ordered
	h.ordered = true
	return first
}

// publish sends a report to every engine.
func (h *hub) publish(r Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report = r
	for conn := range h.conns {
		h.sendLocked(conn)
	}
}

func (h *hub) sendLocked(conn net.Conn) {
	_ = conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err := h.conns[conn].Encode(h.report); err != nil {
		_ = conn.Close() // its reader takes it off the list
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	close(h.over)
	for conn := range h.conns {
		_ = conn.Close()
	}
}
