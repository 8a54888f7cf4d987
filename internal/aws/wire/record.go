package wire

import "fmt"

// Records writes SDK types as JSON in AWS's field names, and reads them back:
// the form in which a request is kept. It does not depend on how the SDK names
// or orders things in Go. It is safe for concurrent use.
type Records struct {
	codec *codec
}

// NewRecords returns the records of a service whose fields have a style.
func NewRecords(style Style) Records { return Records{newCodec(Service{Style: style})} }

// Encode returns what v, a pointer to a structure, says: members that are not
// set are left out.
func (r Records) Encode(v any) ([]byte, error) {
	s, val, ok := r.codec.root(v)
	if !ok {
		return nil, fmt.Errorf("encode %T: nil", v)
	}
	return encodeJSON(s.structTree(val, jsonLeaves()))
}

// Decode fills the structure that v points to. Members that it does not have
// are ignored.
func (r Records) Decode(data []byte, v any) error {
	tree, err := parseJSON(data)
	if err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return r.codec.fromTree(tree, v)
}
