package wire

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRouteMatch(t *testing.T) {
	r := Route{Method: http.MethodPut, Path: "/v1/things/{ThingId}/part"}
	for _, row := range []struct {
		method, path, want string // ThingId; "": no match
	}{
		{"PUT", "/v1/things/a/part", "a"},
		{"PUT", "/v1/things/arn%3Aaws%3Ax%2Fa/part", "arn:aws:x/a"},
		{"GET", "/v1/things/a/part", ""},
		{"PUT", "/v1/things/a", ""},
		{"PUT", "/v1/things/a/part/", ""},
		{"PUT", "/v1/things//part", ""},
		{"PUT", "/v1/others/a/part", ""},
	} {
		u, err := url.Parse(row.path)
		if err != nil {
			t.Fatal(err)
		}
		names, ok := r.match(row.method, strings.Split(u.EscapedPath(), "/"))
		if got := names.Get("ThingId"); ok != (row.want != "") || got != row.want {
			t.Errorf("%s %s: got %q, %v", row.method, row.path, got, ok)
		}
	}
}
