package wire

import (
	"net/http"
	"net/url"
	"strings"

	"neargate/internal/model"
)

// call is one request on its way through the handler.
type call struct {
	proto   protocol
	face    *face // nil when no service was found; fault is then set
	op      string
	version string // of Query
	id      string
	tree    any        // JSON, CBOR: the request
	form    url.Values // Query: the request; REST: what stands beside the body
	json10  bool       // JSON 1.0 asked for
	fault   error      // what the head of the request already shows to be wrong
	failed  string     // the code that was answered, for the log

	reserved int64 // bytes of the handler's room
}

func (c *call) signing() string {
	if c.face == nil {
		return ""
	}
	return c.face.SigningName
}

// protocol is one of AWS's ways to call an operation.
type protocol interface {
	// open reads the body: after it, c.op is known.
	open(c *call, r *http.Request, body []byte) error
	// decode fills an operation's input.
	decode(c *call, in any) error
	// answer encodes an operation's output.
	answer(c *call, out any) ([]byte, error)
	// fault names an error as this protocol does.
	fault(c *call, e *model.Error) fault
	// failure encodes an error, of which some goes into headers.
	failure(c *call, f fault, h http.Header) []byte
	// header sets the headers that all answers have.
	header(c *call, h http.Header)
}

// identify finds the protocol and the service of a request by its head.
func (h *handler) identify(r *http.Request) *call {
	c := &call{id: h.cfg.NewRequestID()}
	if f, op, names := h.match(r); f != nil {
		c.proto, c.face, c.op, c.form = restProtocol{}, f, op, names
		return c
	}
	if name, ok := scopeService(r); ok && restXML(name) {
		c.proto, c.fault = queryProtocol{h}, noSuchService(name)
		return c
	}
	if !methodTaken(r) {
		c.proto, c.fault = jsonProtocol{}, noSuchPath()
		return c
	}
	if service, op, ok := cborPath(r.URL.Path); ok {
		c.proto, c.op = cborProtocol{h.cbor}, op
		if c.face = h.byTarget[service]; c.face == nil {
			c.fault = unknownService(service, op)
		}
		return c
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" || r.URL.Path != "/" {
		c.proto = jsonProtocol{}
		c.json10 = strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-json-1.0")
		prefix, op, _ := strings.Cut(target, ".")
		c.op = op
		if c.face = h.byTarget[prefix]; c.face == nil {
			c.fault = unknownService(prefix, op)
		}
		return c
	}
	c.proto = queryProtocol{h}
	name, ok := scopeService(r)
	if !ok {
		c.fault = missingToken()
		return c
	}
	faces := h.bySigning[name]
	if len(faces) == 0 {
		c.fault = noSuchService(name)
		return c
	}
	c.face = faces[0] // until the body names the version
	return c
}

// methodTaken reports whether operations are called by a request's method: POST
// or, in Query, GET. AWS answers others with 404 and UnknownOperationException.
func methodTaken(r *http.Request) bool {
	query := r.URL.Path == "/" && r.Header.Get("X-Amz-Target") == ""
	return r.Method == http.MethodPost || r.Method == http.MethodGet && query
}

// cborPath cuts /service/NAME/operation/OP.
func cborPath(path string) (service, op string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 5 || parts[0] != "" || parts[1] != "service" || parts[3] != "operation" {
		return "", "", false
	}
	return parts[2], parts[4], true
}

// scopeService returns the service in a request's credential scope,
// KEY/DATE/REGION/SERVICE/aws4_request.
func scopeService(r *http.Request) (string, bool) {
	credential := ""
	if auth := r.Header.Get("Authorization"); auth != "" {
		_, after, ok := strings.Cut(auth, "Credential=")
		if !ok {
			return "", false
		}
		credential, _, _ = strings.Cut(after, ",")
	} else {
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	parts := strings.Split(credential, "/")
	if len(parts) < 5 {
		return "", false
	}
	return parts[len(parts)-2], true
}

func missingToken() error {
	return model.Errorf(model.Denied, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
}

// restXML reports whether a service speaks REST with XML, whose errors are those
// of Query. None but S3, which is answered elsewhere, is offered; their clients
// read no error in JSON.
func restXML(name string) bool { return name == "route53" || name == "cloudfront" }

func noSuchService(name string) error {
	return model.Errorf(model.Invalid, "UnknownOperationException", "The service %.60q is not offered here.", name)
}

func noSuchPath() error {
	return model.Errorf(model.NotFound, "UnknownOperationException", "No service is offered at this path.")
}

func unknownService(prefix, op string) error {
	if prefix == "" {
		return noSuchPath()
	}
	return model.Errorf(model.Invalid, "UnknownOperationException", "The operation %.80s is not known here.", prefix+"."+op)
}

func unknownOperation(c *call) error {
	return model.Errorf(model.Invalid, "UnknownOperationException", "The action %.80s is not valid for this web service.", c.op)
}
