package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// decode reads JSON that has the fields of v and no other. item lies in text,
// for the line of an error.
func decode(text, item []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(item))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err := d.Token(); err == nil {
			return errors.New("more than one JSON value; put them in a list")
		}
		return nil
	}
	offset := d.InputOffset()
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = s.Offset
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = t.Offset
		err = fmt.Errorf("%s is a %s, want a %s", t.Field, t.Value, t.Type)
		if t.Field == "" {
			err = fmt.Errorf("a %s, want a JSON object", t.Value)
		}
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok { // quoted, as in the file
		offset = int64(max(bytes.Index(item, []byte(field)), 0))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		offset = int64(len(item))
	}
	before := max(bytes.Index(text, item), 0) + int(min(offset, int64(len(item))))
	line := 1 + bytes.Count(text[:before], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, strings.TrimPrefix(err.Error(), "json: "))
}
