package routing

import (
	"errors"
	"regexp"
	"strings"

	"neargate/internal/model"
)

// The types of transforms.
const (
	HostRewrite = "host-header-rewrite"
	URLRewrite  = "url-rewrite"
)

// ErrRewrite is that the outcome of a transform is no host or no URL; ELB
// answers the request with 500 then (rule-transforms, "Transform basics").
var ErrRewrite = errors.New("the transform makes no valid request")

// ErrReplace is that a replacement names a group that its regular expression
// does not have.
var ErrReplace = errors.New("the replacement refers to a group that is not there")

// Rewrite is the compiled transforms of a rule. nil rewrites nothing.
type Rewrite struct {
	host, url *rewrite
}

type rewrite struct {
	regex *regexp.Regexp
	parts []part
}

// part is a piece of a replacement: text, or what a group has found.
type part struct {
	text  string
	group int // -1: text
}

// Rewrites compiles the transforms of a rule, at most one of each type; nil for
// none. ErrRegex, ErrReplace.
func Rewrites(transforms []model.Transform) (*Rewrite, error) {
	if len(transforms) == 0 {
		return nil, nil
	}
	out := &Rewrite{}
	for _, t := range transforms {
		w, err := newRewrite(t)
		if err != nil {
			return nil, err
		}
		if t.Type == HostRewrite {
			out.host = w
		} else {
			out.url = w
		}
	}
	return out, nil
}

func newRewrite(t model.Transform) (*rewrite, error) {
	regex, err := Regex(t.Regex, t.Type == HostRewrite)
	if err != nil {
		return nil, err
	}
	w := &rewrite{regex: regex}
	text := 0 // where the text that is not yet in parts begins
	for i := 0; i+1 < len(t.Replace); i++ {
		c := t.Replace[i+1]
		if t.Replace[i] != '$' || c < '0' || c > '9' {
			continue
		}
		group := int(c - '0')
		if group > regex.NumSubexp() {
			return nil, ErrReplace
		}
		w.parts = append(w.parts, part{t.Replace[text:i], -1}, part{"", group})
		i++
		text = i + 1
	}
	w.parts = append(w.parts, part{t.Replace[text:], -1})
	return w, nil
}

// Host returns the Host header that the target gets in place of host.
// ErrRewrite.
func (r *Rewrite) Host(host string) (string, error) {
	if r == nil || r.host == nil {
		return host, nil
	}
	out, changed := r.host.apply(host)
	if changed && (out == "" || strings.ContainsFunc(out, notInHost)) {
		return "", ErrRewrite
	}
	return out, nil
}

// URL returns the path with the query, "/a?b=c", that the target gets in place of
// url. ErrRewrite.
func (r *Rewrite) URL(url string) (string, error) {
	if r == nil || r.url == nil {
		return url, nil
	}
	out, changed := r.url.apply(url)
	if changed && (!strings.HasPrefix(out, "/") || len(out) > maxURL || strings.ContainsFunc(out, notInURL)) {
		return "", ErrRewrite
	}
	return out, nil
}

// maxURL bounds what a transform makes, as ELB bounds request lines
// (load-balancer-limits).
const maxURL = 16 << 10

func notInHost(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("/?#@\\", r) }
func notInURL(r rune) bool  { return r <= ' ' || r > '~' || r == '#' }

// apply replaces what the regular expression finds first.
func (w *rewrite) apply(s string) (out string, changed bool) {
	at := w.regex.FindStringSubmatchIndex(s)
	if at == nil {
		return s, false
	}
	var b strings.Builder
	b.WriteString(s[:at[0]])
	for _, p := range w.parts {
		switch {
		case p.group < 0:
			b.WriteString(p.text)
		case at[2*p.group] >= 0: // a group that took part in the match
			b.WriteString(s[at[2*p.group]:at[2*p.group+1]])
		}
	}
	b.WriteString(s[at[1]:])
	return b.String(), true
}
