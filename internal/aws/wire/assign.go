package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"neargate/internal/model"
)

// maxEpoch bounds timestamps, in seconds: the end of the year 9999.
const maxEpoch = 253402300799

// fromTree fills the structure that in points to. Unknown members are ignored
// and nulls leave a member unset, as AWS does.
func (c *codec) fromTree(tree, in any) error {
	v := reflect.ValueOf(in)
	return c.shape(v.Type()).assign(tree, v)
}

// assign stores a tree in v, which has s's Go type, pointer included.
func (s *shape) assign(tree any, v reflect.Value) error {
	if tree == nil {
		return nil
	}
	s, v = s.reach(v)
	switch s.kind {
	case kindStruct:
		return s.assignStruct(tree, v)
	case kindList:
		return s.assignList(tree, v)
	case kindMap:
		return s.assignMap(tree, v)
	case kindUnion:
		return s.assignUnion(tree, v)
	case kindUnknown:
		return serialization("a value of type %s is not supported", s.typ.Name())
	default:
		return s.assignScalar(tree, v)
	}
}

// reach follows v's pointer, making what it points to.
func (s *shape) reach(v reflect.Value) (*shape, reflect.Value) {
	if s.to == nil {
		return s, v
	}
	if v.IsNil() {
		v.Set(reflect.New(s.to.typ))
	}
	return s.to, v.Elem()
}

func (s *shape) assignStruct(tree any, v reflect.Value) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return mismatch(tree, "a structure")
	}
	for name, val := range m {
		i, ok := s.byName[name]
		if !ok {
			continue
		}
		f := s.fields[i]
		if err := f.shape.assign(val, v.Field(f.index)); err != nil {
			return within(f.name, err)
		}
	}
	return nil
}

func (s *shape) assignList(tree any, v reflect.Value) error {
	items, ok := tree.([]any)
	if !ok {
		return mismatch(tree, "a list")
	}
	list := reflect.MakeSlice(s.typ, 0, len(items))
	for i, item := range items {
		if item == nil { // AWS drops nulls in lists
			continue
		}
		el := reflect.New(s.typ.Elem()).Elem()
		if err := s.elem.assign(item, el); err != nil {
			return within(strconv.Itoa(i), err)
		}
		list = reflect.Append(list, el)
	}
	v.Set(list)
	return nil
}

func (s *shape) assignMap(tree any, v reflect.Value) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return mismatch(tree, "a map")
	}
	v.Set(reflect.MakeMapWithSize(s.typ, len(m)))
	for key, item := range m {
		if item == nil {
			continue
		}
		el := reflect.New(s.typ.Elem()).Elem()
		if err := s.elem.assign(item, el); err != nil {
			return within(key, err)
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(s.typ.Key()), el)
	}
	return nil
}

func (s *shape) assignUnion(tree any, v reflect.Value) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return mismatch(tree, "a union")
	}
	for name, val := range m {
		if val == nil || name == "__type" {
			continue
		}
		member, ok := s.members[name]
		if !ok {
			return serialization("member %q of %s is not supported", name, s.typ.Name())
		}
		if !v.IsNil() {
			return serialization("more than one member of %s is set", s.typ.Name())
		}
		el := reflect.New(s.variant[name])
		if err := member.assign(val, el.Elem().FieldByName("Value")); err != nil {
			return within(name, err)
		}
		v.Set(el)
	}
	return nil
}

func (s *shape) assignScalar(tree any, v reflect.Value) error {
	switch s.kind {
	case kindString:
		str, ok := tree.(string)
		if !ok {
			return mismatch(tree, "a String")
		}
		v.SetString(str)
	case kindBool:
		b, ok := tree.(bool)
		if !ok {
			return mismatch(tree, "a Boolean")
		}
		v.SetBool(b)
	case kindInt:
		n, ok := treeInt(tree)
		if !ok || v.OverflowInt(n) {
			return mismatch(tree, "an Integer")
		}
		v.SetInt(n)
	case kindFloat:
		f, ok := treeFloat(tree)
		if !ok {
			return mismatch(tree, "a Double")
		}
		v.SetFloat(f)
	case kindTime:
		t, ok := treeTime(tree)
		if !ok {
			return mismatch(tree, "a Timestamp")
		}
		v.Set(reflect.ValueOf(t))
	case kindBlob:
		b, ok := treeBlob(tree)
		if !ok {
			return mismatch(tree, "a Blob")
		}
		v.SetBytes(b)
	default:
		panic(fmt.Sprintf("wire: %v is no scalar", s.typ))
	}
	return nil
}

func treeInt(tree any) (int64, bool) {
	switch n := tree.(type) {
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= math.MaxInt64
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<62
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, err := n.Float64()
		return int64(f), err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<62
	}
	return 0, false
}

// treeFloat reads a number; NaN and the infinities are strings in AWS JSON.
func treeFloat(tree any) (float64, bool) {
	switch n := tree.(type) {
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	case string:
		return namedFloat(n)
	}
	return 0, false
}

func namedFloat(s string) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// treeTime reads a timestamp: seconds since 1970, to the millisecond, as the
// SDKs send it.
func treeTime(tree any) (time.Time, bool) {
	if t, ok := tree.(time.Time); ok {
		return t.Round(time.Millisecond).UTC(), true
	}
	if _, ok := tree.(string); ok {
		return time.Time{}, false
	}
	f, ok := treeFloat(tree)
	if !ok || !(math.Abs(f) <= maxEpoch) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(f * 1000))).UTC(), true
}

func treeBlob(tree any) ([]byte, bool) {
	switch b := tree.(type) {
	case []byte:
		return b, true
	case string:
		raw, err := base64.StdEncoding.DecodeString(b)
		return raw, err == nil
	}
	return nil, false
}

func serialization(format string, args ...any) error {
	return model.Errorf(model.Invalid, "SerializationException", format, args...)
}

// mismatch words a wrong type as AWS does: "STRING_VALUE can not be converted
// to an Integer".
func mismatch(tree any, want string) error {
	got := "NUMBER_VALUE"
	switch b := tree.(type) {
	case string:
		got = "STRING_VALUE"
	case bool:
		got = "FALSE_VALUE"
		if b {
			got = "TRUE_VALUE"
		}
	case []any:
		got = "START_ARRAY"
	case map[string]any:
		got = "START_OBJECT"
	case []byte:
		got = "BYTES_VALUE"
	}
	return serialization("%s can not be converted to %s", got, want)
}

// within puts a member's name before a decoding error's text, so that the
// caller learns where.
func within(name string, err error) error {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return &model.Error{Kind: e.Kind, Code: e.Code, Msg: name + ": " + e.Msg, Err: e.Err}
	}
	return fmt.Errorf("%s: %w", name, err)
}
