package wire

import (
	"reflect"
	"time"
)

// A tree is a value between Go types and JSON or CBOR text: nil, bool, string,
// []byte, time.Time, a number, []any or map[string]any. Numbers are
// json.Number, int64, uint64 or float64.

// leaves is how a protocol writes what JSON and CBOR do not share.
type leaves struct {
	time  func(time.Time) any
	float func(float64) any
}

// toTree makes the tree of a structure that an operation answers. Lists at the
// top are always present, as AWS does; below, nil is left out and empty is not.
func (c *codec) toTree(out any, l leaves) map[string]any {
	s, v, ok := c.root(out)
	if !ok {
		return map[string]any{}
	}
	m := s.structTree(v, l)
	for _, f := range s.fields {
		if _, ok := m[f.name]; !ok && f.shape.kind == kindList {
			m[f.name] = []any{}
		}
	}
	return m
}

func (s *shape) structTree(v reflect.Value, l leaves) map[string]any {
	m := make(map[string]any, len(s.fields))
	for _, f := range s.fields {
		if val, ok := f.shape.tree(v.Field(f.index), l); ok {
			m[f.name] = val
		}
	}
	return m
}

// tree returns the tree of v; ok is false for what is left out: nil pointers,
// lists and maps, empty enums and strings without a pointer.
func (s *shape) tree(v reflect.Value, l leaves) (_ any, ok bool) {
	s, v, ok = s.settle(v)
	if !ok {
		return nil, false
	}
	switch s.kind {
	case kindString:
		return v.String(), true
	case kindBool:
		return v.Bool(), true
	case kindInt:
		return v.Int(), true
	case kindFloat:
		return l.float(v.Float()), true
	case kindTime:
		return l.time(v.Interface().(time.Time)), true
	case kindBlob:
		return v.Bytes(), true
	case kindList:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			item, _ := s.elem.element(v.Index(i), l)
			list = append(list, item)
		}
		return list, true
	case kindMap:
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			if item, ok := s.elem.element(it.Value(), l); ok {
				m[it.Key().String()] = item
			}
		}
		return m, true
	case kindStruct:
		return s.structTree(v, l), true
	case kindUnion:
		name, member, val := s.chosen(v)
		if member == nil {
			return nil, false
		}
		item, _ := member.element(val, l)
		return map[string]any{name: item}, true
	default:
		return nil, false
	}
}

// element is tree for a list's or map's value, where an empty string stands
// for itself.
func (s *shape) element(v reflect.Value, l leaves) (any, bool) {
	if s.kind == kindString {
		return v.String(), true
	}
	return s.tree(v, l)
}

// root returns the structure that an operation answered; ok is false for nil.
func (c *codec) root(out any) (_ *shape, _ reflect.Value, ok bool) {
	v := reflect.ValueOf(out)
	return c.shape(v.Type()).settle(v)
}

// settle follows v's pointer; ok is false when nothing is to be written.
func (s *shape) settle(v reflect.Value) (_ *shape, _ reflect.Value, ok bool) {
	if s.to != nil {
		return s.to, v.Elem(), !v.IsNil()
	}
	switch s.kind {
	case kindUnknown:
		return s, v, false
	case kindList, kindMap, kindBlob, kindUnion:
		return s, v, s.always || !v.IsNil()
	case kindString:
		return s, v, v.Len() > 0
	default:
		return s, v, true
	}
}

// chosen returns the member that a union value holds; member is nil when its
// type is not listed in the service's Unions.
func (s *shape) chosen(v reflect.Value) (name string, member *shape, val reflect.Value) {
	held := v.Elem() // out of the interface
	if held.Kind() == reflect.Pointer {
		held = held.Elem()
	}
	for name, t := range s.variant {
		if held.IsValid() && held.Type() == t {
			return name, s.members[name], held.FieldByName("Value")
		}
	}
	return "", nil, reflect.Value{}
}
