package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"

	"neargate/internal/model"
	"neargate/internal/random"
)

// Authenticator finds out who signed a request.
type Authenticator interface {
	// Authenticate checks, before the body is read, all that the head of r
	// shows of its signature for a service's signing name: the access key,
	// the credential scope, the date, the signed headers. Errors of both
	// steps are *model.Error with the codes of AWS JSON
	// (InvalidSignatureException, …); wire translates them for the other
	// protocols.
	Authenticate(r *http.Request, service string) (Signature, error)
}

// Signature checks a request's signature over its body, as it came over the
// wire, and returns who signed it.
type Signature func(body []byte) (Caller, error)

// Config sets up a handler. The zero value is valid but for Log.
type Config struct {
	Log         *slog.Logger
	MaxBody     int64 // bytes, compressed and not; 0 is 4 MiB
	MaxInFlight int64 // bytes of large bodies over all requests; 0 is 64 MiB
	// Patience is how long a request waits for the rest of its body, or for
	// room in MaxInFlight; 0 is 10 s. A long body may take longer, at minRate.
	Patience     time.Duration
	NewRequestID func() string    // nil makes random UUIDs
	Now          func() time.Time // nil is time.Now
}

// handler is the front door of all services. Immutable after NewHandler.
type handler struct {
	cfg       Config
	auth      Authenticator
	byTarget  map[string]*face
	bySigning map[string][]*face // Query; several versions may share a name
	routes    []routed           // REST
	cbor      cborModes
	room      *semaphore.Weighted // Config.MaxInFlight
}

// face is a Service made ready to serve.
type face struct {
	Service
	codec *codec
	guard *guard
	ops   map[string]Operation
}

// NewHandler makes the HTTP handler that answers for services. It panics when
// two of them, or two operations of one, have the same name.
func NewHandler(services []Service, auth Authenticator, cfg Config) http.Handler {
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 4 << 20
	}
	if cfg.MaxInFlight == 0 {
		cfg.MaxInFlight = 64 << 20
	}
	if cfg.Patience == 0 {
		cfg.Patience = 10 * time.Second
	}
	if cfg.NewRequestID == nil {
		cfg.NewRequestID = random.UUID
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h := &handler{
		cfg: cfg, auth: auth, byTarget: map[string]*face{}, bySigning: map[string][]*face{}, cbor: newCBORModes(),
		room: semaphore.NewWeighted(cfg.MaxInFlight),
	}
	for _, s := range services {
		h.add(s)
	}
	return h
}

func (h *handler) add(s Service) {
	f := &face{Service: s, codec: newCodec(s), ops: map[string]Operation{}}
	f.guard = newGuard(s, f.codec)
	for _, op := range s.Operations {
		if _, twice := f.ops[op.Name]; twice {
			panic("wire: two operations " + s.SigningName + "." + op.Name)
		}
		f.ops[op.Name] = op
		if op.Route.Path != "" {
			h.routes = append(h.routes, routed{f, op})
		}
	}
	if s.TargetPrefix != "" {
		if h.byTarget[s.TargetPrefix] != nil {
			panic("wire: two services " + s.TargetPrefix)
		}
		h.byTarget[s.TargetPrefix] = f
	}
	if s.Version != "" {
		h.bySigning[s.SigningName] = append(h.bySigning[s.SigningName], f)
	}
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := h.cfg.Now()
	c := h.identify(r)
	defer func() { h.room.Release(c.reserved) }()
	out, err := h.call(w, r, c)
	var body []byte
	if err == nil {
		if body, err = c.proto.answer(c, out); err != nil {
			err = fmt.Errorf("encode answer: %w", err)
		}
	}
	status := c.success()
	w.Header().Set("X-Amzn-Requestid", c.id)
	if err != nil {
		status, body = h.failure(w, c, err)
	}
	c.proto.header(c, w.Header())
	if status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead && status != http.StatusNoContent {
		// An error here means that the client has gone, which it may.
		_, _ = w.Write(body)
	}
	h.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "api call",
		slog.String("service", c.signing()), slog.String("operation", c.op), slog.Int("status", status),
		slog.String("code", c.failed), slog.Int("bytes", len(body)),
		slog.Duration("took", h.cfg.Now().Sub(begin)), slog.String("request_id", c.id))
}

// call reads, checks and runs the request. Panics of operations end here.
func (h *handler) call(w http.ResponseWriter, r *http.Request, c *call) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	verify, err := h.admit(r, c)
	if err != nil {
		// The server discards a body that nobody read, but not for ever.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.cfg.Patience))
		return nil, err
	}
	raw, err := h.readBody(w, r, c)
	if err != nil {
		return nil, err
	}
	caller, err := verify(raw)
	if err != nil {
		return nil, err
	}
	body, err := h.unpack(r, c, raw)
	if err != nil {
		return nil, err
	}
	if err := c.proto.open(c, r, body); err != nil {
		return nil, err
	}
	op, ok := c.face.ops[c.op]
	if !ok {
		return nil, unknownOperation(c)
	}
	in := op.New()
	if err := c.proto.decode(c, in); err != nil {
		return nil, err
	}
	if err := c.face.guard.check(op.Name, in); err != nil {
		return nil, err
	}
	return op.Call(WithCaller(r.Context(), caller), in)
}

// admit refuses what the head of a request already rules out, so that nobody
// without a key makes the server hold a body.
func (h *handler) admit(r *http.Request, c *call) (Signature, error) {
	if c.fault != nil {
		return nil, c.fault
	}
	return h.auth.Authenticate(r, c.face.SigningName)
}

// failure writes the error's headers and returns its status and body. What is
// not a *model.Error is our own fault: the caller learns nothing but that.
func (h *handler) failure(w http.ResponseWriter, c *call, err error) (status int, body []byte) {
	e, ok := errors.AsType[*model.Error](err)
	switch {
	case !ok && errors.Is(err, context.Canceled):
		h.cfg.Log.Debug("api caller went away", "operation", c.op, "request_id", c.id)
	case !ok || e.Kind == model.Internal:
		h.cfg.Log.Error("api call failed", "service", c.signing(), "operation", c.op, "request_id", c.id, "err", err)
	}
	if !ok {
		e = model.Errorf(model.Internal, "InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
	}
	f := c.proto.fault(c, e)
	c.failed = f.code
	if c.face != nil && c.face.Version != "" && c.face.TargetPrefix != "" {
		w.Header().Set("X-Amzn-Query-Error", queryCode(c, e.Code)+";"+f.side())
	}
	return f.status, c.proto.failure(c, f, w.Header())
}
