package wire

import (
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// kind is what a Go type is on the wire.
type kind int

const (
	kindUnknown kind = iota // a document or an unlisted interface: refused in, omitted out
	kindString
	kindBool
	kindInt
	kindFloat
	kindTime
	kindBlob
	kindList
	kindMap
	kindStruct
	kindUnion
)

// shape is the plan for one Go type: made once, then walked.
type shape struct {
	kind    kind
	typ     reflect.Type
	to      *shape  // what typ, a pointer, points to; kind is then unused
	elem    *shape  // of a list's or map's values
	always  bool    // a nil list is written as an empty one, as EC2 does
	fields  []field // of a structure, in Go's order
	byName  map[string]int
	members map[string]*shape // of a union, by member name: the Value field
	variant map[string]reflect.Type
}

// field is one member of a structure.
type field struct {
	index int
	name  string // in JSON and CBOR
	query string // in Query requests
	xml   string // in Query answers
	shape *shape
}

// codec holds the shapes of one service's types. It is safe for concurrent use.
type codec struct {
	style  Style
	ec2    bool
	unions []reflect.Type // pointers to union member structs

	mu     sync.Mutex
	shapes map[reflect.Type]*shape // guarded by mu; complete shapes only are handed out
}

func newCodec(s Service) *codec {
	c := &codec{style: s.Style, ec2: s.EC2, shapes: map[reflect.Type]*shape{}}
	for _, u := range s.Unions {
		c.unions = append(c.unions, reflect.TypeOf(u))
	}
	return c
}

// shape returns the plan of t, a struct or a pointer to one.
func (c *codec) shape(t reflect.Type) *shape {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.planLocked(t)
}

// planLocked plans t. A type that contains itself finds its own unfinished
// shape in the map, which is complete before the lock is given up.
func (c *codec) planLocked(t reflect.Type) *shape {
	if s, ok := c.shapes[t]; ok {
		return s
	}
	s := &shape{typ: t}
	c.shapes[t] = s
	if t.Kind() == reflect.Pointer {
		s.to = c.planLocked(t.Elem())
		return s
	}
	switch t.Kind() {
	case reflect.String:
		s.kind = kindString
	case reflect.Bool:
		s.kind = kindBool
	case reflect.Int32, reflect.Int64, reflect.Int, reflect.Int16, reflect.Int8:
		s.kind = kindInt
	case reflect.Float32, reflect.Float64:
		s.kind = kindFloat
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			s.kind = kindBlob
			break
		}
		s.kind, s.elem, s.always = kindList, c.planLocked(t.Elem()), c.ec2
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			s.kind, s.elem = kindMap, c.planLocked(t.Elem())
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			s.kind = kindTime
			break
		}
		s.kind = kindStruct
		c.planFieldsLocked(s)
	case reflect.Interface:
		c.planUnionLocked(s)
	default:
	}
	return s
}

func (c *codec) planFieldsLocked(s *shape) {
	s.byName = map[string]int{}
	for i := range s.typ.NumField() {
		sf := s.typ.Field(i)
		if !sf.IsExported() || sf.Name == "ResultMetadata" {
			continue
		}
		f := field{index: i, name: sf.Name, query: sf.Name, xml: sf.Name, shape: c.planLocked(sf.Type)}
		if c.style == LowerCamel {
			f.name = lowerFirst(sf.Name)
		}
		if c.ec2 {
			f.query = awsCase(sf.Name)
			f.name = f.query // in refusals
			f.xml = lowerFirst(f.query)
		}
		if odd, ok := oddName(s.typ, sf.Name); ok {
			f.name, f.query, f.xml = odd, odd, odd
		}
		if tag := sf.Tag.Get("query"); tag != "" {
			f.query = tag
		}
		if tag := sf.Tag.Get("xml"); tag != "" {
			f.xml = tag
		}
		s.byName[f.name] = len(s.fields)
		s.fields = append(s.fields, f)
	}
}

// planUnionLocked finds the listed members of a union. The SDK names a member
// type UNION + "Member" + NAME and keeps its value in the field Value.
func (c *codec) planUnionLocked(s *shape) {
	prefix := s.typ.Name() + "Member"
	for _, t := range c.unions {
		if !t.Implements(s.typ) || t.Kind() != reflect.Pointer {
			continue
		}
		name, ok := strings.CutPrefix(t.Elem().Name(), prefix)
		value, has := t.Elem().FieldByName("Value")
		if !ok || !has {
			continue
		}
		if c.style == LowerCamel {
			name = lowerFirst(name)
		}
		if s.members == nil {
			s.kind, s.members, s.variant = kindUnion, map[string]*shape{}, map[string]reflect.Type{}
		}
		s.members[name] = c.planLocked(value.Type)
		s.variant[name] = t.Elem()
	}
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
