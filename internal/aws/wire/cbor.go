package wire

import (
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Limits on one CBOR document, against bodies made to cost memory.
const (
	maxCBORDepth    = 64
	maxCBORElements = 1 << 20
)

// cborModes are how CBOR is read and written; immutable, safe for concurrent use.
type cborModes struct {
	dec cbor.DecMode
	enc cbor.EncMode
}

// newCBORModes panics only when the constant options below contradict each
// other.
func newCBORModes() cborModes {
	dec, err := cbor.DecOptions{
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		MaxNestedLevels:  maxCBORDepth,
		MaxArrayElements: maxCBORElements,
		MaxMapPairs:      maxCBORElements,
		IntDec:           cbor.IntDecConvertSignedOrFail,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	enc, err := cbor.EncOptions{Time: cbor.TimeUnixDynamic, TimeTag: cbor.EncTagRequired}.EncMode()
	if err != nil {
		panic(err)
	}
	return cborModes{dec, enc}
}

// parse reads one CBOR item into a tree. An empty body is an empty structure.
func (m cborModes) parse(body []byte) (any, error) {
	if len(body) == 0 {
		return map[string]any{}, nil
	}
	var tree any
	if err := m.dec.Unmarshal(body, &tree); err != nil {
		return nil, serialization("Malformed CBOR: %s", err)
	}
	if _, ok := tree.(map[string]any); !ok {
		return nil, mismatch(tree, "a structure")
	}
	return tree, nil
}

// encode writes a tree as CBOR.
func (m cborModes) encode(tree any) ([]byte, error) { return m.enc.Marshal(tree) }

// cborLeaves keeps times and numbers: times become tag 1.
func cborLeaves() leaves {
	return leaves{
		time:  func(t time.Time) any { return t.Truncate(time.Millisecond) },
		float: func(f float64) any { return f },
	}
}
