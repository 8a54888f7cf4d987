package wire

import (
	"fmt"
	"reflect"
	"slices"

	"neargate/internal/model"
)

// Setting is a member of an input, or of a structure within inputs, that is
// not obeyed. Make it with Refused, RefusedAs or Kept.
type Setting struct {
	Of    reflect.Type // the structure
	Field string       // Go's name of its member
	// Text is for one that is refused the sentence for the caller, "" is "NAME
	// is not supported by Neargate."; for one that is kept why it has no effect.
	Text string
	// Allowed are values that are not refused: they ask for what is there.
	Allowed []string
}

// Refused is a member of T that is refused when it asks for anything: when it
// is neither zero nor empty nor one of allowed.
func Refused[T any](field string, allowed ...string) Setting {
	return Setting{Of: reflect.TypeFor[T](), Field: field, Allowed: allowed}
}

// RefusedAs is Refused with AWS's own sentence.
func RefusedAs[T any](field, text string) Setting {
	return Setting{Of: reflect.TypeFor[T](), Field: field, Text: text}
}

// Kept is a member of T that is accepted and has no effect, and why.
func Kept[T any](field, why string) Setting {
	return Setting{Of: reflect.TypeFor[T](), Field: field, Text: why}
}

// RefuseWith returns a Service's Refuse for services that refuse settings with
// one code in all operations.
func RefuseWith(code string) func(op, sentence string) error {
	return func(_, sentence string) error {
		return model.Errorf(model.Invalid, code, "%s", sentence)
	}
}

// Check returns the service's error for the first setting in an operation's
// input that is refused. It panics for a setting that names no member.
func (s Service) Check(op string, in any) error {
	return newGuard(s, newCodec(s)).check(op, in)
}

// guard refuses settings. It is immutable.
type guard struct {
	codec   *codec
	refuse  func(op, sentence string) error
	refused map[reflect.Type]map[string]Setting
}

func newGuard(s Service, c *codec) *guard {
	g := &guard{codec: c, refuse: s.Refuse, refused: map[reflect.Type]map[string]Setting{}}
	for _, set := range slices.Concat(s.Refused, s.Kept) {
		if _, ok := set.Of.FieldByName(set.Field); !ok {
			panic(fmt.Sprintf("wire: %v has no member %s", set.Of, set.Field))
		}
	}
	for _, set := range s.Refused {
		if g.refused[set.Of] == nil {
			g.refused[set.Of] = map[string]Setting{}
		}
		g.refused[set.Of][set.Field] = set
	}
	return g
}

func (g *guard) check(op string, in any) error {
	if len(g.refused) == 0 {
		return nil
	}
	s, v, ok := g.codec.root(in)
	if !ok {
		return nil
	}
	if sentence := g.find(s, v); sentence != "" {
		return g.refuse(op, sentence)
	}
	return nil
}

// find returns the sentence of the first refused setting in a value.
func (g *guard) find(s *shape, v reflect.Value) string {
	if s.to != nil {
		if v.IsNil() {
			return ""
		}
		s, v = s.to, v.Elem()
	}
	switch s.kind {
	case kindStruct:
		return g.findInStruct(s, v)
	case kindList:
		for i := range v.Len() {
			if sentence := g.find(s.elem, v.Index(i)); sentence != "" {
				return sentence
			}
		}
	case kindMap:
		for it := v.MapRange(); it.Next(); {
			if sentence := g.find(s.elem, it.Value()); sentence != "" {
				return sentence
			}
		}
	case kindUnion:
		if _, member, val := s.chosen(v); member != nil {
			return g.find(member, val)
		}
	default: // a scalar
	}
	return ""
}

func (g *guard) findInStruct(s *shape, v reflect.Value) string {
	for _, f := range s.fields {
		val := v.Field(f.index)
		set, refused := g.refused[s.typ][s.typ.Field(f.index).Name]
		switch {
		case !refused:
			if sentence := g.find(f.shape, val); sentence != "" {
				return sentence
			}
		case asks(val) && !slices.Contains(set.Allowed, scalar(val)):
			return set.sentence(f.name)
		}
	}
	return ""
}

func (s Setting) sentence(name string) string {
	if s.Text == "" {
		return name + " is not supported by Neargate."
	}
	return s.Text
}

// asks reports whether a value asks for anything: whether some part of it is
// neither zero nor empty.
func asks(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && asks(v.Elem())
	case reflect.Slice, reflect.Map:
		return v.Len() > 0
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && asks(v.Field(i)) {
				return true
			}
		}
		return false
	default:
		return !v.IsZero()
	}
}

// scalar returns a scalar as text, "" for anything else.
func scalar(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct, reflect.Interface:
		return ""
	default:
		return fmt.Sprint(v.Interface())
	}
}
