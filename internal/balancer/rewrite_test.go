package balancer

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"

	"neargate/internal/model"
)

// handler serves requests as a target at the address returned.
func handler(t *testing.T, h http.HandlerFunc) *backend {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	at := netip.MustParseAddrPort(s.Listener.Addr().String())
	return &backend{name: "handler", at: model.Target{IP: at.Addr().String(), Port: int(at.Port())}}
}

func TestTransforms(t *testing.T) {
	r := start(t, Config{})
	lb, port, tg := r.loadBalancer("web"), freePort(t), r.targetGroup("web", nil)
	echo := handler(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = w.Write([]byte(req.Host + " " + req.RequestURI))
	})
	l := r.listener(lb, port, forward(tg.ARN))
	r.register(tg, echo)
	r.await(tg, "healthy", echo)
	rule := func(priority int, path string, transforms ...model.Transform) {
		_, err := r.CreateRule(t.Context(), model.Rule{
			ListenerARN: l.ARN, Priority: priority, Actions: forward(tg.ARN), Transforms: transforms,
			Conditions: []model.Condition{{Field: "path-pattern", Values: []string{path}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	url := func(regex, replace string) model.Transform {
		return model.Transform{Type: "url-rewrite", Regex: regex, Replace: replace}
	}
	host := func(regex, replace string) model.Transform {
		return model.Transform{Type: "host-header-rewrite", Regex: regex, Replace: replace}
	}
	rule(1, "/dp/*", url(`^/dp/([A-Za-z0-9]+)/?$`, "/product.php?id=$1"))
	rule(2, "/api/*", url(`^/api/`, "/"), host(`^mywebsite-(.+)\.com`, "internal.$1.test"))
	rule(3, "/bad/*", url(`^/bad/(.*)$`, "$1"))
	rule(4, "/item", url(`^/item\?id=(\d+)$`, "/item/$1"))
	c, base := client(t), "http://127.0.0.1:"+strconv.Itoa(port)
	rows := []struct{ path, host, want string }{
		{"/dp/B09", "shop.test", "shop.test:" + strconv.Itoa(port) + " /product.php?id=B09"},
		{"/dp/B09?x=1", "shop.test", "shop.test:" + strconv.Itoa(port) + " /dp/B09?x=1"}, // no match
		{"/api/v1?q=a%20b", "mywebsite-a.com", "internal.a.test /v1?q=a%20b"},
		{"/item?id=7", "shop.test:81", "shop.test:81 /item/7"},
		{"/other", "shop.test:81", "shop.test:81 /other"},
	}
	for _, row := range rows {
		if got := get(t, c, base+row.path, row.host); got.status != 200 || got.body != row.want {
			t.Errorf("%s of %s: target got %q (%d), want %q", row.path, row.host, got.body, got.status, row.want)
		}
	}
	if got := get(t, c, base+"/bad/x", ""); got.status != 500 {
		t.Errorf("status %d of a transform that makes no URL, want 500", got.status)
	}
	eventually(t, "the answer counted", func() bool { return r.LoadBalancerTraffic()[0].ELB500 == 1 })
}

func TestListenerEditsAnswers(t *testing.T) {
	r := start(t, Config{})
	lb, port, tg := r.loadBalancer("web"), freePort(t), r.targetGroup("web", nil)
	target := handler(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "mine")
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("X-Own", "1")
	})
	l := r.listener(lb, port, forward(tg.ARN))
	r.register(tg, target)
	r.await(tg, "healthy", target)
	c, url := client(t), "http://127.0.0.1:"+strconv.Itoa(port)
	if got := get(t, c, url, "").header; got.Get("Server") != "mine" || got.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("header %v without attributes", got)
	}
	set := func(attributes map[string]string, actions []model.Action) {
		_, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
			l.Attributes, l.DefaultActions = attributes, actions
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	attributes := map[string]string{
		"routing.http.response.server.enabled":                             "false",
		"routing.http.response.strict_transport_security.header_value":     "max-age=31536000; includeSubDomains",
		"routing.http.response.x_frame_options.header_value":               "DENY",
		"routing.http.response.access_control_allow_origin.header_value":   "https://a.test",
		"routing.http.response.content_security_policy.header_value":       "",
		"routing.http.response.access_control_expose_headers.header_value": "X-Own",
	}
	for name, actions := range map[string][]model.Action{
		"a target's answer": forward(tg.ARN),
		"a fixed response":  {{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200}}},
	} {
		set(attributes, actions)
		got := get(t, c, url, "").header
		if got.Values("Server") != nil || got.Values("Content-Security-Policy") != nil {
			t.Errorf("%s: header %v has what was taken out", name, got)
		}
		for field, want := range map[string]string{
			"Strict-Transport-Security": "max-age=31536000; includeSubDomains", "X-Frame-Options": "DENY",
			"Access-Control-Allow-Origin": "https://a.test", "Access-Control-Expose-Headers": "X-Own",
		} {
			if v := got.Values(field); len(v) != 1 || v[0] != want {
				t.Errorf("%s: %s is %q, want %q", name, field, v, want)
			}
		}
	}
}
