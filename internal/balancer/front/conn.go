package front

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"neargate/internal/balancer/exchange"
)

// patience is how long a client may take over a PROXY header or a TLS handshake;
// an ALB ends handshakes after 10 s as well (load-balancer-troubleshooting).
const patience = 10 * time.Second

// Conn is a connection as a codec gets it.
type Conn struct {
	net.Conn // its addresses are those of the client and of what it connected to

	Client netip.AddrPort // the zero value if it is not TCP
	ID     exchange.ConnID
	// Secure is what was agreed on in TLS; nil: the client speaks plainly.
	Secure *Secure
}

// Describe returns what requests are told of the connection. Their Conn.Note is
// its Secure.
func (c Conn) Describe() exchange.Conn {
	of := exchange.Conn{Scheme: "http", Client: c.Client, ID: c.ID, Started: time.Now()}
	if c.Secure != nil {
		of.Scheme, of.Note = "https", c.Secure
	}
	if a := c.LocalAddr(); a != nil {
		of.Local = a.String()
	}
	return of
}

// Protocol is what was agreed on by ALPN; "" if nothing was.
func (c Conn) Protocol() string {
	if c.Secure == nil {
		return ""
	}
	return c.Secure.Protocol
}

// conn is a client's connection. Owned by its goroutine, but for what mu guards.
type conn struct {
	server  *Server
	group   *group
	socket  net.Conn
	from    netip.AddrPort
	proxied bool   // begins with a PROXY header
	chosen  string // the ARN of the certificate that was shown
	meant   *TLS   // the listener's that the client meant

	opened bool // Events.Opened was called

	// Of the lot's.
	slot, turn uint32
	watched    bool // its socket is known to epoll

	mu      sync.Mutex
	session Session // guarded by mu
	parked  bool    // it waits in the lot; guarded by mu
	drained bool    // guarded by mu
	retired bool    // guarded by mu
	killed  bool    // guarded by mu
}

// run serves the connection until it ends, or waits in the lot.
func (c *conn) run(ctx context.Context) {
	if s := c.meet(ctx); s != nil {
		c.begin(s)
		c.serve(s)
		return
	}
	c.finish()
}

// meet finds out who the client is and how it speaks. It returns nil if there is
// nobody to serve.
func (c *conn) meet(ctx context.Context) Session {
	if c.proxied && !c.readProxy() {
		return nil
	}
	c.server.cfg.Events.Opened(c.from.Addr())
	c.opened = true
	made, ok := c.greet()
	if !ok {
		return nil
	}
	return c.server.cfg.Codec(ctx, made)
}

// serve serves the session until it ends, or waits in the lot.
func (c *conn) serve(s Session) {
	sleeper, ok := s.(Sleeper)
	if !ok || c.server.cfg.Lot == nil {
		s.Serve()
		c.finish()
		return
	}
	for {
		idle := sleeper.ServeAwake()
		if idle <= 0 {
			c.finish()
			return
		}
		if c.park(idle) {
			return
		}
	}
}

// park has the connection wait in the lot. It reports false if it must not wait,
// or cannot; then it is served on.
func (c *conn) park(idle time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drained || c.killed {
		return false
	}
	c.parked = c.server.cfg.Lot.enter(c, time.Now().Add(idle))
	return c.parked
}

// wake serves on a connection that waited in the lot and was taken out.
func (c *conn) wake() {
	c.mu.Lock()
	c.parked = false
	s := c.session
	c.mu.Unlock()
	go c.serve(s) // finish ends what start began
}

// finish forgets the connection.
func (c *conn) finish() {
	_ = c.socket.Close() // it may be closed
	s := c.server
	if c.opened {
		s.cfg.Events.Closed(c.from.Addr())
	}
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.cfg.Limit.release()
	c.group.wait.Done()
}

// greet finds out how the client speaks, and shakes hands in TLS.
func (c *conn) greet() (Conn, bool) {
	plain, secure := true, false
	if c.server.cfg.Speaks != nil {
		plain, secure = c.server.cfg.Speaks()
	}
	if !secure {
		return c.as(c.socket, nil), plain
	}
	_ = c.socket.SetDeadline(time.Now().Add(patience))
	first, err := peek(c.socket)
	switch {
	case err != nil: // it left, or said nothing
		return Conn{}, false
	case first == handshakeRecord:
		return c.shake()
	case plain:
		_ = c.socket.SetDeadline(time.Time{})
		return c.as(c.socket, nil), true
	}
	c.server.cfg.Events.Refused(Refusal{Client: c.from, ID: newConnID(), Secure: &Secure{}, Err: errPlain})
	if first >= 'A' && first <= 'Z' {
		c.tellPlain()
	}
	return Conn{}, false
}

// handshakeRecord is the type of the first TLS record of a client
// (RFC 8446 5.1).
const handshakeRecord = 22

var errPlain = errors.New("the client does not speak TLS")

// shake is the TLS handshake.
func (c *conn) shake() (Conn, bool) {
	began := time.Now()
	secured := tls.Server(&beneath{Conn: c.socket, of: c}, c.server.tls)
	if err := secured.Handshake(); err != nil { //nolint:noctx // the socket has a deadline
		c.server.cfg.Events.Refused(Refusal{Client: c.from, ID: newConnID(), By: c.meant, Secure: c.secure(secured.ConnectionState()), Err: err})
		return Conn{}, false
	}
	if secured.ConnectionState().NegotiatedProtocol == proofProtocol {
		return Conn{}, false
	}
	_ = c.socket.SetDeadline(time.Time{})
	agreed := c.secure(secured.ConnectionState())
	agreed.Took = time.Since(began)
	return c.as(secured, agreed), true
}

// as is the connection as a codec gets it.
func (c *conn) as(nc net.Conn, secure *Secure) Conn {
	return Conn{Conn: nc, Client: c.from, ID: newConnID(), Secure: secure}
}

func newConnID() exchange.ConnID { return exchange.ConnID{rand.Uint64(), rand.Uint64()} }

// beneath is the connection beneath TLS, by which a handshake finds its conn.
type beneath struct {
	net.Conn
	of *conn
}

// SyscallConn is the access to the socket, by which a codec looks whether its
// client has gone.
func (b *beneath) SyscallConn() (syscall.RawConn, error) {
	if socket, ok := b.Conn.(syscall.Conn); ok {
		return socket.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// SetLinger has the end of the connection be a reset, with 0 seconds.
func (b *beneath) SetLinger(seconds int) error {
	if socket, ok := b.Conn.(interface{ SetLinger(seconds int) error }); ok {
		return socket.SetLinger(seconds)
	}
	return errors.ErrUnsupported
}

// begin makes a session the connection's own.
func (c *conn) begin(s Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
	if c.drained {
		s.Drain()
	}
	if c.retired {
		s.Retire()
	}
	if c.killed {
		s.Kill()
	}
}

// drain begins the graceful end. In a handshake it is left to the session.
func (c *conn) drain() {
	c.mu.Lock()
	c.drained = true
	if c.session != nil {
		c.session.Drain()
	}
	c.rouse()
}

// leave begins the end that the server has begun: after the next request, or soon.
func (c *conn) leave(retire bool) {
	if retire {
		c.retire()
	} else {
		c.drain()
	}
}

// retire lets the connection end after its next request.
func (c *conn) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired = true
	if c.session != nil {
		c.session.Retire()
	}
}

// kill cuts the connection.
func (c *conn) kill() {
	c.mu.Lock()
	c.killed = true
	if c.session != nil {
		c.session.Kill()
	}
	_ = c.socket.Close()
	c.rouse()
}

// rouse unlocks the connection, and wakes it if it waits in the lot.
func (c *conn) rouse() {
	waits := c.parked && c.server.cfg.Lot.take(c.slot, c.turn) != nil
	c.mu.Unlock()
	if waits {
		c.wake()
	}
}

// peek returns the first octet that the client sends, and leaves it there.
func peek(nc net.Conn) (first byte, err error) {
	socket, ok := nc.(syscall.Conn)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	var b [1]byte
	n := 0
	waited := raw.Read(func(fd uintptr) bool {
		for {
			n, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if !errors.Is(err, syscall.EINTR) {
				return !errors.Is(err, syscall.EAGAIN)
			}
		}
	})
	switch {
	case waited != nil:
		return 0, waited
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return b[0], nil
}

// plainBody is what a client gets that speaks HTTP where TLS is wanted, as from
// an ALB.
const plainBody = "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n" +
	"<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n"

// tellPlain answers a client that speaks HTTP without TLS. What it still sends is
// read for a moment, so that the answer is not lost to a reset.
func (c *conn) tellPlain() {
	const head = "HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: "
	answer := head + strconv.Itoa(len(plainBody)) + "\r\n\r\n" + plainBody
	if _, err := io.WriteString(c.socket, answer); err != nil {
		return
	}
	if half, ok := c.socket.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.socket.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.CopyN(io.Discard, c.socket, 256<<10)
}
