package wire

import (
	"net/http"

	"neargate/internal/model"
)

// cborProtocol is Smithy RPC v2 CBOR.
type cborProtocol struct{ modes cborModes }

func (p cborProtocol) open(c *call, _ *http.Request, body []byte) (err error) {
	c.tree, err = p.modes.parse(body)
	return err
}

func (cborProtocol) decode(c *call, in any) error { return c.face.codec.fromTree(c.tree, in) }

func (p cborProtocol) answer(c *call, out any) ([]byte, error) {
	return p.modes.encode(c.face.codec.toTree(out, cborLeaves()))
}

func (cborProtocol) fault(c *call, e *model.Error) fault {
	return newFault(c, e, http.StatusBadRequest)
}

func (p cborProtocol) failure(_ *call, f fault, _ http.Header) []byte {
	// A map of strings always encodes. CloudWatch has errors with "message"
	// and with "Message"; clients take the one their shape has.
	body, _ := p.modes.encode(map[string]any{"__type": f.code, "message": f.msg, "Message": f.msg})
	return body
}

func (cborProtocol) header(_ *call, h http.Header) {
	h.Set("Content-Type", "application/cbor")
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
}
