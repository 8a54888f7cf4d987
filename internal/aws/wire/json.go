package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"time"
)

// parseJSON reads one JSON value into a tree. An empty body is an empty
// structure.
func parseJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, serialization("%s", jsonFault(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, serialization("Unexpected data after the end of the JSON document.")
	}
	if _, ok := tree.(map[string]any); !ok {
		return nil, mismatch(tree, "a structure")
	}
	return tree, nil
}

func jsonFault(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "Unexpected end of the JSON document."
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "Malformed JSON at byte " + strconv.FormatInt(syntax.Offset, 10) + ": " + syntax.Error()
	}
	return "Malformed JSON: " + err.Error()
}

// encodeJSON writes a tree as JSON, without HTML's escapes.
func encodeJSON(tree any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// jsonLeaves writes timestamps as seconds since 1970 with their milliseconds,
// and what JSON has no number for as AWS names it.
func jsonLeaves() leaves {
	return leaves{
		time: func(t time.Time) any {
			return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64))
		},
		float: func(f float64) any {
			switch {
			case math.IsNaN(f):
				return "NaN"
			case math.IsInf(f, 1):
				return "Infinity"
			case math.IsInf(f, -1):
				return "-Infinity"
			case f == math.Trunc(f) && math.Abs(f) < 1e15:
				// As AWS does, so that clients read 60.0 as the float it is.
				return json.Number(strconv.FormatFloat(f, 'f', 1, 64))
			}
			return f
		},
	}
}
