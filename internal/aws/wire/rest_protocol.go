package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"neargate/internal/model"
)

// Route is where a REST operation is called, as its model says it.
type Route struct {
	Method string
	Path   string // "/2015-02-01/tags/{ResourceId}": a name in braces is a member of the input
	Status int    // of an answer; 0 is 200
}

// At makes an operation of a service that speaks REST with JSON. Members of its
// input come from its path, from the query, by their names, and from the body.
func At(r Route, op Operation) Operation {
	op.Route = r
	return op
}

// restProtocol is REST with JSON.
type restProtocol struct{}

// match returns the operation of the services that speak REST which a request
// calls; nil is none. names has what stands in its path.
func (h *handler) match(r *http.Request) (f *face, op string, names url.Values) {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	for _, rt := range h.routes {
		if names, ok := rt.op.Route.match(r.Method, parts); ok {
			return rt.face, rt.op.Name, names
		}
	}
	return nil, "", nil
}

// routed is an operation that is found by its route.
type routed struct {
	face *face
	op   Operation
}

func (r Route) match(method string, parts []string) (url.Values, bool) {
	wanted := strings.Split(r.Path, "/")
	if r.Method != method || len(wanted) != len(parts) {
		return nil, false
	}
	names := url.Values{}
	for i, w := range wanted {
		name, variable := strings.CutPrefix(w, "{")
		if !variable {
			if w != parts[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(parts[i])
		if err != nil || value == "" {
			return nil, false
		}
		names.Set(strings.TrimSuffix(name, "}"), value)
	}
	return names, true
}

func (restProtocol) open(c *call, r *http.Request, body []byte) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return malformedQuery()
	}
	for name, values := range query {
		member := strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
		if _, inPath := c.form[member]; inPath {
			continue
		}
		c.form[member] = values[:1]
		for i, v := range values { // should it be a list
			c.form.Set(fmt.Sprintf("%s.member.%d", member, i+1), v)
		}
	}
	c.tree, err = parseJSON(body)
	return err
}

func (restProtocol) decode(c *call, in any) error {
	if err := c.face.codec.fromTree(c.tree, in); err != nil {
		return err
	}
	return c.face.codec.fromForm(c.form, in)
}

func (restProtocol) answer(c *call, out any) ([]byte, error) {
	if c.success() == http.StatusNoContent {
		return nil, nil
	}
	return jsonProtocol{}.answer(c, out)
}

// success is the status of an operation's answer.
func (c *call) success() int {
	if c.face != nil {
		if status := c.face.ops[c.op].Route.Status; status != 0 {
			return status
		}
	}
	return http.StatusOK
}

func (restProtocol) fault(c *call, e *model.Error) fault { return newFault(c, e, http.StatusForbidden) }

// failure also has the code as EFS's shapes have it.
func (restProtocol) failure(_ *call, f fault, h http.Header) []byte {
	h.Set("X-Amzn-Errortype", f.code)
	body, _ := encodeJSON(map[string]any{"ErrorCode": f.code, "Message": f.msg, "message": f.msg}) // a map of strings always encodes
	return body
}

func (restProtocol) header(c *call, h http.Header) {
	if c.success() != http.StatusNoContent {
		h.Set("Content-Type", "application/json")
	}
}
