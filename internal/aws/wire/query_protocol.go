package wire

import (
	"maps"
	"net/http"
	"net/url"
	"strings"

	"neargate/internal/model"
)

// queryProtocol is AWS Query and EC2's form of it.
type queryProtocol struct{ h *handler }

// open reads the form from the URL and the body, and finds the service among
// those that share a signing name by its version.
func (p queryProtocol) open(c *call, r *http.Request, body []byte) error {
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return malformedQuery()
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		posted, err := url.ParseQuery(string(body))
		if err != nil {
			return malformedQuery()
		}
		maps.Copy(form, posted)
	}
	c.form, c.op, c.version = form, form.Get("Action"), form.Get("Version")
	if c.op == "" {
		return model.Errorf(model.Invalid, "MissingAction", "The request is missing an action or a required parameter.")
	}
	for _, f := range p.h.bySigning[c.face.SigningName] {
		if f.Version == c.version {
			c.face = f
			return nil
		}
	}
	if c.version == "" {
		c.version = "NO_VERSION_SPECIFIED"
	}
	return model.Errorf(model.Invalid, "InvalidAction", "Could not find operation %.80s for version %.40s", c.op, c.version)
}

func malformedQuery() error {
	return model.Errorf(model.Invalid, "MalformedQueryString", "The query string contains a syntax error.")
}

func (queryProtocol) decode(c *call, in any) error { return c.face.codec.fromForm(c.form, in) }

func (queryProtocol) answer(c *call, out any) ([]byte, error) {
	return c.face.codec.answerXML(c.face.Namespace, c.op, c.id, out), nil
}

func (queryProtocol) fault(c *call, e *model.Error) fault {
	denied := http.StatusForbidden
	if e.Code == "IncompleteSignatureException" {
		denied = http.StatusBadRequest
	}
	f := newFault(c, e, denied)
	f.code = queryCode(c, f.code)
	if c.face != nil && c.face.EC2 {
		f.msg = ec2Text(e.Code, f.msg)
		if f.code == "AuthFailure" && e.Kind == model.Denied {
			f.status = http.StatusUnauthorized
		}
	}
	return f
}

func (queryProtocol) failure(c *call, f fault, _ http.Header) []byte {
	w := &xmlWriter{}
	if c.face != nil && c.face.EC2 {
		w.open("Response")
		w.open("Errors")
		w.open("Error")
		w.element("Code", f.code)
		w.element("Message", f.msg)
		w.close("Error")
		w.close("Errors")
		w.element("RequestID", c.id)
		w.close("Response")
		return w.Bytes()
	}
	w.WriteString("<ErrorResponse")
	if c.face != nil {
		w.WriteString(` xmlns="`)
		w.text(c.face.Namespace)
		w.WriteString(`"`)
	}
	w.WriteString(">")
	w.open("Error")
	w.element("Type", f.side())
	w.element("Code", f.code)
	w.element("Message", f.msg)
	w.close("Error")
	w.element("RequestId", c.id)
	w.close("ErrorResponse")
	return w.Bytes()
}

func (queryProtocol) header(_ *call, h http.Header) { h.Set("Content-Type", "text/xml") }
