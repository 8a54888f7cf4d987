package routing_test

import (
	"errors"
	"testing"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

func TestRewrite(t *testing.T) {
	host := func(regex, replace string) model.Transform {
		return model.Transform{Type: routing.HostRewrite, Regex: regex, Replace: replace}
	}
	url := func(regex, replace string) model.Transform {
		return model.Transform{Type: routing.URLRewrite, Regex: regex, Replace: replace}
	}
	rows := []struct {
		name      string
		transform model.Transform
		in, want  string
		err       error
	}{
		{"AWS's example of a host", host(`^mywebsite-(.+).com$`, "internal.dev.$1.myweb.com"), "mywebsite-example.com", "internal.dev.example.myweb.com", nil},
		{"host in another case", host(`^a\.test$`, "b.test"), "A.Test", "b.test", nil},
		{"no match leaves it", host(`^x$`, "y"), "a.test:81", "a.test:81", nil},
		{"a host that is none", host(`^(.*)$`, "$1/x"), "a.test", "", routing.ErrRewrite},
		{"an empty host", host(`^.*$`, ""), "a.test", "", routing.ErrRewrite},
		{"AWS's example of a path", url(`^/dp/([A-Za-z0-9]+)/?$`, "/product.php?id=$1"), "/dp/B09/", "/product.php?id=B09", nil},
		{"query to path", url(`^/item\?id=([0-9]+)$`, "/item/$1"), "/item?id=7", "/item/7", nil},
		{"a prefix goes", url(`^/api/`, "/"), "/api/v1?x=1", "/v1?x=1", nil},
		{"only the first", url(`a`, "b"), "/aa", "/ba", nil},
		{"two groups turned round", url(`^/(\w+)/(\w+)$`, "/$2/$1"), "/a/b", "/b/a", nil},
		{"a digit after the group", url(`^/(\w+)$`, "/$10"), "/a", "/a0", nil},
		{"the whole match", url(`^/x`, "/y$0"), "/x", "/y/x", nil},
		{"a group that took no part", url(`^/(a)?(b)?$`, "/$1-$2"), "/b", "/-b", nil},
		{"a dollar of its own", url(`^/a$`, "/$/$x$"), "/a", "/$/$x$", nil},
		{"no slash at its beginning", url(`^/(.*)$`, "$1"), "/a", "", routing.ErrRewrite},
		{"a blank", url(`^/a$`, "/b c"), "/a", "", routing.ErrRewrite},
		{"lookahead", url(`^/(?=a)`, "/"), "", "", routing.ErrRegex},
		{"backreference", url(`^/(a)\1`, "/"), "", "", routing.ErrRegex},
		{"possessive", url(`^/a++`, "/"), "", "", routing.ErrRegex},
		{"atomic group", url(`^/(?>a)`, "/"), "", "", routing.ErrRegex},
		{"recursion", url(`^/(?R)`, "/"), "", "", routing.ErrRegex},
		{"Unicode class", url(`^/\p{L}`, "/"), "", "", routing.ErrRegex},
		{"escaped backslash before p", url(`^/a\\p`, "/"), `/a\p`, "/", nil},
		{"a group that is not there", url(`^/(a)$`, "/$2"), "", "", routing.ErrReplace},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			w, err := routing.Rewrites([]model.Transform{r.transform})
			if err == nil {
				var got string
				if r.transform.Type == routing.HostRewrite {
					got, err = w.Host(r.in)
				} else {
					got, err = w.URL(r.in)
				}
				if got != r.want {
					t.Errorf("got %q, want %q", got, r.want)
				}
			}
			if !errors.Is(err, r.err) {
				t.Errorf("error %v, want %v", err, r.err)
			}
		})
	}
}

func TestRewriteOfNothing(t *testing.T) {
	w, err := routing.Rewrites(nil)
	if err != nil {
		t.Fatal(err)
	}
	host, _ := w.Host("a.test")
	url, _ := w.URL("/a")
	if host != "a.test" || url != "/a" {
		t.Errorf("got %q and %q", host, url)
	}
}
