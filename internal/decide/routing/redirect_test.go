package routing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

func TestLocation(t *testing.T) {
	o := routing.Origin{Protocol: "http", Host: "shop.test:8080", Port: "8080", Path: "/a/b", Query: "x=1"}
	rows := []struct {
		name string
		r    model.Redirect
		want string
	}{
		{"to https", model.Redirect{Protocol: "HTTPS", Port: "443", Host: "#{host}", Path: "/#{path}", Query: "#{query}"}, "https://shop.test:443/a/b?x=1"},
		{"new path around the old", model.Redirect{Path: "/new/#{path}", Query: "#{query}&from=old"}, "http://shop.test:8080/new/a/b?x=1&from=old"},
		{"another host, no query", model.Redirect{Host: "www.#{host}", Path: "/"}, "http://www.shop.test:8080/"},
		{"all in the query", model.Redirect{Host: "b.test", Query: "u=#{protocol}://#{host}:#{port}/#{path}?#{query}"}, "http://b.test:8080/a/b?u=http://shop.test:8080/a/b?x=1"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if d := cmp.Diff(routing.Location(r.r, o), r.want); d != "" {
				t.Errorf("got -, want +:\n%s", d)
			}
		})
	}
}

func TestKeyword(t *testing.T) {
	rows := []struct {
		r    model.Redirect
		want string
	}{
		{model.Redirect{Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "#{query}"}, ""},
		{model.Redirect{Path: "/#{host}/#{port}/#{path}", Query: "#{protocol}#{host}#{port}#{path}#{query}"}, ""},
		{model.Redirect{Path: "/#{bogus}"}, "#{bogus} in path"},
		{model.Redirect{Query: "a=#{query}&b=#{Query}"}, "#{Query} in query"},
		{model.Redirect{Host: "#{path}.test"}, "#{path} in host"},
		{model.Redirect{Path: "/#{path"}, "#{path in path"},
		{model.Redirect{Path: "/#{query}"}, "#{query} in path"},
		{model.Redirect{Path: "/#path"}, ""},
	}
	for _, r := range rows {
		word, in, ok := routing.Keyword(r.r)
		got := ""
		if !ok {
			got = word + " in " + in
		}
		if got != r.want {
			t.Errorf("%+v: got %q, want %q", r.r, got, r.want)
		}
	}
}
