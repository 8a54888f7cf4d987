package wire

import (
	"encoding/base64"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
)

// maxFormDepth bounds the dots in a parameter's name.
const maxFormDepth = 32

// node is one place in a Query form: Tags.member.1.Key is four nodes.
type node struct {
	value string
	set   bool
	kids  map[string]*node
}

// parseForm makes the tree of a form. Of a repeated name the first value counts.
func parseForm(form url.Values) (*node, error) {
	root := &node{}
	for name, values := range form {
		if strings.Count(name, ".") >= maxFormDepth {
			return nil, model.Errorf(model.Invalid, "MalformedInput", "The parameter name %.60q is too deep.", name)
		}
		n := root
		for part := range strings.SplitSeq(name, ".") {
			n = n.kid(part)
		}
		n.value, n.set = values[0], true
	}
	return root, nil
}

func (n *node) kid(name string) *node {
	if k, ok := n.kids[name]; ok {
		return k
	}
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	k := &node{}
	n.kids[name] = k
	return k
}

// items returns a list's nodes in the order of their numbers: those below
// "member" or "entry" (wrapper), or directly below (EC2, flattened lists).
// Numbers may have gaps; a name that is no number is ignored.
func (n *node) items(wrapper string) []*node {
	if w, ok := n.kids[wrapper]; ok {
		n = w
	}
	type numbered struct {
		at int
		n  *node
	}
	var found []numbered
	for name, kid := range n.kids {
		if at, err := strconv.Atoi(name); err == nil {
			found = append(found, numbered{at, kid})
		}
	}
	slices.SortFunc(found, func(a, b numbered) int { return a.at - b.at })
	out := make([]*node, len(found))
	for i, f := range found {
		out[i] = f.n
	}
	return out
}

// fromForm fills the structure that in points to from a Query form. Unknown
// parameters are ignored.
func (c *codec) fromForm(form url.Values, in any) error {
	root, err := parseForm(form)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(in)
	return c.shape(v.Type()).fill(root, v, "")
}

// fill stores a form's node in v, which has s's Go type, pointer included.
// path names the parameter in errors.
func (s *shape) fill(n *node, v reflect.Value, path string) error {
	s, v = s.reach(v)
	switch s.kind {
	case kindStruct:
		for _, f := range s.fields {
			kid, ok := n.kids[f.query]
			if !ok {
				continue
			}
			if err := f.shape.fill(kid, v.Field(f.index), join(path, f.query)); err != nil {
				return err
			}
		}
		return nil
	case kindList:
		items := n.items("member")
		list := reflect.MakeSlice(s.typ, len(items), len(items))
		for i, item := range items {
			if err := s.elem.fill(item, list.Index(i), join(path, strconv.Itoa(i+1))); err != nil {
				return err
			}
		}
		v.Set(list)
		return nil
	case kindMap:
		return s.fillMap(n, v, path)
	default:
		return s.fillScalar(n.value, v, path)
	}
}

func (s *shape) fillMap(n *node, v reflect.Value, path string) error {
	items := n.items("entry")
	v.Set(reflect.MakeMapWithSize(s.typ, len(items)))
	for i, item := range items {
		key, value := item.kids["key"], item.kids["value"]
		at := join(path, strconv.Itoa(i+1))
		if key == nil || value == nil {
			return malformed(at, "", "a map entry")
		}
		el := reflect.New(s.typ.Elem()).Elem()
		if err := s.elem.fill(value, el, at); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key.value).Convert(s.typ.Key()), el)
	}
	return nil
}

func (s *shape) fillScalar(text string, v reflect.Value, path string) error {
	switch s.kind {
	case kindString:
		v.SetString(text)
	case kindBool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return malformed(path, text, "a boolean")
		}
		v.SetBool(b)
	case kindInt:
		i, err := strconv.ParseInt(text, 10, s.typ.Bits())
		if err != nil {
			return malformed(path, text, "an integer")
		}
		v.SetInt(i)
	case kindFloat:
		f, ok := namedFloat(text)
		if !ok {
			var err error
			if f, err = strconv.ParseFloat(text, 64); err != nil {
				return malformed(path, text, "a number")
			}
		}
		v.SetFloat(f)
	case kindTime:
		t, ok := parseISO(text)
		if !ok {
			return malformed(path, text, "a timestamp")
		}
		v.Set(reflect.ValueOf(t))
	case kindBlob:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return malformed(path, text, "base64")
		}
		v.SetBytes(b)
	default:
		return model.Errorf(model.Invalid, "MalformedInput", "The parameter %s is not supported.", path)
	}
	return nil
}

// parseISO reads a timestamp as clients send it: ISO 8601, UTC when it names
// no zone.
func parseISO(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func malformed(path, text, want string) error {
	return model.Errorf(model.Invalid, "MalformedInput", "The value %.60q of parameter %s is not %s.", text, path, want)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
