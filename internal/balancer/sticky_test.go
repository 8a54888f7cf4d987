package balancer

import (
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// visitor is a client that keeps cookies as a browser does: the last of each name.
type visitor struct {
	t       *testing.T
	c       *http.Client
	cookies map[string]string
	set     []*http.Cookie // by the last answer
	header  http.Header    // sent with each request
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	return &visitor{t: t, c: client(t), cookies: map[string]string{}, header: http.Header{}}
}

// get returns who has answered.
func (v *visitor) get(url string) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header = v.header.Clone()
	for name, value := range v.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := v.c.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		v.t.Fatalf("got %d %q: %v", resp.StatusCode, body, err)
	}
	v.set = resp.Cookies()
	for _, c := range v.set {
		v.cookies[c.Name] = c.Value
	}
	return string(body)
}

// stays reports whether the same target answers again and again.
func (v *visitor) stays(url, at string) {
	v.t.Helper()
	for range 6 {
		if got := v.get(url); got != at {
			v.t.Errorf("answered by %q, want %q, to which the client is bound", got, at)
		}
	}
}

func lbCookie(seconds int) map[string]string {
	return map[string]string{
		"stickiness.enabled": "true", "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": strconv.Itoa(seconds),
	}
}

func TestStickyByTheBalancersCookie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := startAt(t, path, Config{})
	tg, url := r.front(lbCookie(3600))
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)

	v := newVisitor(t)
	first := v.get(url)
	if len(v.set) != 2 || v.set[0].Name != "AWSALB" || v.set[1].Name != "AWSALBCORS" || v.set[0].Value != v.set[1].Value {
		t.Fatalf("cookies %v", v.set)
	}
	if c := v.set[0]; c.Path != "/" || c.MaxAge != 0 || c.SameSite != 0 || time.Until(c.Expires) < 7*24*time.Hour-time.Minute || time.Until(c.Expires) > 7*24*time.Hour {
		t.Errorf("cookie %+v", c)
	}
	if c := v.set[1]; c.SameSite != http.SameSiteNoneMode || !c.Secure {
		t.Errorf("cookie %+v", c)
	}
	v.stays(url, first)
	if got := r.LoadBalancerTraffic()[0].NonSticky; got != 1 {
		t.Errorf("%d requests without a session counted, want 1", got)
	}

	// Over a restart of the server.
	r.stop()
	r = startAt(t, path, Config{})
	r.await(tg, "healthy", a, b)
	v.stays(url, first)

	// The twin alone is enough.
	delete(v.cookies, "AWSALB")
	v.stays(url, first)

	// What is forged does no harm, and is replaced.
	for _, forged := range []string{"x", strings.Repeat("A", 84), strings.Repeat("A", 4000), v.cookies["AWSALB"][:60] + "AAAA" + v.cookies["AWSALB"][64:]} {
		f := newVisitor(t)
		f.cookies["AWSALB"] = forged
		f.stays(url, f.get(url))
	}

	// A target that is deregistered gives its clients to another.
	bound, other := a, b
	if first == "b" {
		bound, other = b, a
	}
	r.deregister(tg, bound)
	v.stays(url, other.name)
	r.register(tg, bound)
	r.await(tg, "healthy", bound)
	v.stays(url, other.name) // which keeps them
}

func TestStickyDurationEnds(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(lbCookie(60))
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	at := routing.Session{Group: groupNumber(tg.ARN), Target: targetAt(a.at), Issued: time.Now().Add(-50 * time.Second)}
	v := newVisitor(t)
	v.cookies["AWSALB"] = r.cookies.seal(targetKind, at)
	if got := v.get(url); got != "a" {
		t.Errorf("answered by %q within the duration", got)
	}
	at.Issued = time.Now().Add(-61 * time.Second)
	took := map[string]bool{}
	for range 4 {
		v.cookies = map[string]string{"AWSALB": r.cookies.seal(targetKind, at)}
		took[v.get(url)] = true
	}
	if len(took) != 2 {
		t.Errorf("answered by %v after the duration, want both in turn", took)
	}
	// Of another kind or another group it is no session here.
	at.Issued = time.Now()
	for _, value := range []string{r.cookies.seal(groupKind, at), r.cookies.seal(targetKind, routing.Session{Group: 1, Target: at.Target, Issued: at.Issued})} {
		took = map[string]bool{}
		for range 4 {
			v.cookies = map[string]string{"AWSALB": value}
			took[v.get(url)] = true
		}
		if len(took) != 2 {
			t.Errorf("answered by %v with a cookie of something else, want both in turn", took)
		}
	}
}

func TestStickyByTheApplicationsCookie(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(map[string]string{
		"stickiness.enabled": "true", "stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "SESSION",
		"stickiness.app_cookie.duration_seconds": "3600",
	})
	app := func(name string) *backend {
		b := handler(t, func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/login" {
				http.SetCookie(w, &http.Cookie{Name: "SESSION", Value: name})
			}
			_, _ = io.WriteString(w, name)
		})
		b.name = name
		return b
	}
	a, b := app("a"), app("b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	v := newVisitor(t)
	took := map[string]bool{}
	for range 4 {
		took[v.get(url)] = true
		if len(v.set) != 0 {
			t.Errorf("cookies %v before the application has set one", v.set)
		}
	}
	if len(took) != 2 {
		t.Errorf("answered by %v before there is a session", took)
	}
	first := v.get(url + "/login")
	if len(v.set) != 2 || !strings.HasPrefix(v.set[1].Name, "AWSALBAPP-") || v.set[1].SameSite != 0 {
		t.Fatalf("cookies %v", v.set)
	}
	v.stays(url, first)
	if len(v.set) != 1 {
		t.Errorf("cookies %v, want the session renewed", v.set)
	}
	// A browser that comes from another site.
	v.header.Set("Origin", "https://other.test")
	v.header.Set("User-Agent", "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36")
	v.get(url)
	if c := v.set[0]; c.SameSite != http.SameSiteNoneMode || !c.Secure {
		t.Errorf("cookie %+v for Chromium from another site", c)
	}
	// A session's target that is ill gives it to another.
	bound, other := a, b
	if first == "b" {
		bound, other = b, a
	}
	r.deregister(tg, bound)
	v.stays(url, other.name)
	r.register(tg, bound)
	r.await(tg, "healthy", bound)
	v.stays(url, other.name)
	// Without the application's own cookie there is no session.
	delete(v.cookies, "SESSION")
	took = map[string]bool{}
	for range 4 {
		took[v.get(url)] = true
	}
	if len(took) != 2 {
		t.Errorf("answered by %v without the application's cookie", took)
	}
}

func TestStickyGroups(t *testing.T) {
	r := start(t, Config{})
	lb, port := r.loadBalancer("web"), freePort(t)
	blue, green := r.targetGroup("blue", nil), r.targetGroup("green", nil)
	a, b := serve(t, "blue"), serve(t, "green")
	actions := func(wBlue, wGreen int) []model.Action {
		out := forward(blue.ARN, green.ARN)
		out[0].Forward[0].Weight, out[0].Forward[1].Weight = wBlue, wGreen
		out[0].Sticky = time.Hour
		return out
	}
	l := r.listener(lb, port, actions(1, 1))
	r.register(blue, a)
	r.register(green, b)
	r.await(blue, "healthy", a)
	r.await(green, "healthy", b)
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	took := map[string]int{}
	for range 30 {
		v := newVisitor(t)
		first := v.get(url)
		took[first]++
		if len(v.set) != 2 || v.set[0].Name != "AWSALBTG" || v.set[1].Name != "AWSALBTGCORS" {
			t.Fatalf("cookies %v", v.set)
		}
		v.stays(url, first)
	}
	if len(took) != 2 {
		t.Errorf("30 clients went to %v, want both target groups", took)
	}
	// A group of weight 0 gets nothing any more, whoever is bound to it.
	v := newVisitor(t)
	for v.get(url) != "blue" {
		v = newVisitor(t)
	}
	_, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
		l.DefaultActions = actions(0, 1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v.stays(url, "green")
}

// A try that fails binds nobody: the cookie is of the target that has answered.
func TestStickyToTheTargetThatAnswers(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(lbCookie(3600))
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	v := newVisitor(t)
	for v.get(url) != "a" {
		v = newVisitor(t)
	}
	_ = a.server.Close() // refuses from now on, and is still healthy
	v.stays(url, "b")
	if len(v.set) != 2 {
		t.Errorf("%d cookies set, want one pair", len(v.set))
	}
}
