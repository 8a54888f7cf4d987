package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// xmlWriter writes Query answers.
type xmlWriter struct {
	bytes.Buffer

	item string // what a list's elements are called
}

func (w *xmlWriter) text(s string) {
	// EscapeText fails only when its writer does, and a buffer does not.
	_ = xml.EscapeText(w, []byte(s))
}

func (w *xmlWriter) element(name, text string) {
	w.open(name)
	w.text(text)
	w.close(name)
}

func (w *xmlWriter) open(name string)  { w.WriteString("<" + name + ">") }
func (w *xmlWriter) close(name string) { w.WriteString("</" + name + ">") }

// answerXML writes an operation's answer: the result in its wrapper, or, for
// EC2, bare behind the request's id.
func (c *codec) answerXML(namespace, op, requestID string, out any) []byte {
	w := &xmlWriter{item: "member"}
	w.WriteString("<" + op + `Response xmlns="`)
	w.text(namespace)
	w.WriteString(`">`)
	if c.ec2 {
		w.item = "item"
		w.element("requestId", requestID)
		c.resultXML(w, out)
	} else {
		w.open(op + "Result")
		c.resultXML(w, out)
		w.close(op + "Result")
		w.WriteString("<ResponseMetadata>")
		w.element("RequestId", requestID)
		w.WriteString("</ResponseMetadata>")
	}
	w.close(op + "Response")
	return w.Bytes()
}

// resultXML writes out's members. Lists at the top are always present.
func (c *codec) resultXML(w *xmlWriter, out any) {
	s, v, ok := c.root(out)
	if !ok {
		return
	}
	for _, f := range s.fields {
		fv := v.Field(f.index)
		if f.shape.kind == kindList && fv.IsNil() {
			w.element(f.xml, "")
			continue
		}
		f.shape.writeXML(w, f.xml, fv)
	}
}

func (s *shape) writeXML(w *xmlWriter, name string, v reflect.Value) {
	s, v, ok := s.settle(v)
	if !ok {
		return
	}
	switch s.kind {
	case kindStruct:
		w.open(name)
		for _, f := range s.fields {
			f.shape.writeXML(w, f.xml, v.Field(f.index))
		}
		w.close(name)
	case kindList:
		w.open(name)
		for i := range v.Len() {
			s.elem.writeElementXML(w, w.item, v.Index(i))
		}
		w.close(name)
	case kindMap:
		w.open(name)
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
		for _, key := range keys {
			w.open("entry")
			w.element("key", key.String())
			s.elem.writeElementXML(w, "value", v.MapIndex(key))
			w.close("entry")
		}
		w.close(name)
	default:
		w.element(name, s.scalarText(v))
	}
}

// writeElementXML is writeXML for a list's or map's value, where an empty
// string stands for itself.
func (s *shape) writeElementXML(w *xmlWriter, name string, v reflect.Value) {
	if s.kind == kindString {
		w.element(name, v.String())
		return
	}
	s.writeXML(w, name, v)
}

func (s *shape) scalarText(v reflect.Value) string {
	switch s.kind {
	case kindString:
		return v.String()
	case kindBool:
		return strconv.FormatBool(v.Bool())
	case kindInt:
		return strconv.FormatInt(v.Int(), 10)
	case kindFloat:
		return floatText(v.Float())
	case kindTime:
		return isoText(v.Interface().(time.Time).UTC())
	case kindBlob:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	default: // unions have no form in Query
		return ""
	}
}

// isoText writes milliseconds when there are any.
func isoText(t time.Time) string {
	if t.Truncate(time.Millisecond).Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
