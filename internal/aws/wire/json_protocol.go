package wire

import (
	"net/http"

	"neargate/internal/model"
)

// jsonProtocol is AWS JSON 1.0 and 1.1.
type jsonProtocol struct{}

func (jsonProtocol) open(c *call, _ *http.Request, body []byte) (err error) {
	c.tree, err = parseJSON(body)
	return err
}

func (jsonProtocol) decode(c *call, in any) error { return c.face.codec.fromTree(c.tree, in) }

func (jsonProtocol) answer(c *call, out any) ([]byte, error) {
	return encodeJSON(c.face.codec.toTree(out, jsonLeaves()))
}

func (jsonProtocol) fault(c *call, e *model.Error) fault {
	f := newFault(c, e, http.StatusBadRequest)
	if c.face == nil && e.Kind == model.NotFound {
		f.status = http.StatusNotFound
	}
	return f
}

func (jsonProtocol) failure(c *call, f fault, h http.Header) []byte {
	h.Set("X-Amzn-Errortype", f.code)
	message := "message"
	if c.face != nil && c.face.Style == UpperCamel {
		message = "Message"
	}
	// A map of strings always encodes.
	body, _ := encodeJSON(map[string]any{"__type": f.code, message: f.msg})
	return body
}

func (jsonProtocol) header(c *call, h http.Header) {
	h.Set("Content-Type", "application/x-amz-json-1.1")
	if c.json10 {
		h.Set("Content-Type", "application/x-amz-json-1.0")
	}
}
