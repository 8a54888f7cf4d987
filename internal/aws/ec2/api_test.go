package ec2_test

import (
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/ec2"
	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/wire"
	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/vpc"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

// root is a key ring with the account's root in it.
type root struct{}

func (root) Key(id string) (sigv4.Key, bool) { return sigv4.Key{Secret: "secret"}, id == "root" }

// oneTask is a task with a network interface, in the subnet and group it names.
type oneTask struct{ subnet, group string }

func (o *oneTask) NetworkInterfaces() []vpc.Interface {
	if o.subnet == "" {
		return nil
	}
	return []vpc.Interface{{
		ID: "eni-1", Address: netip.MustParseAddr("10.7.0.9"), MAC: "0a:00:00:00:00:01", Subnet: o.subnet,
		SecurityGroups: []string{o.group}, Description: "arn:aws:ecs:attachment/1", CreatedAt: time.Unix(1700000000, 0),
	}}
}

// api is EC2 with a handler in front.
type api struct {
	net      *vpc.Networks
	handler  http.Handler
	policies []firewall.Policy // in force, the last one last
	task     *oneTask
}

func open(t *testing.T, path string, auth wire.Authenticator) (*api, func()) {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	a := &api{task: &oneTask{}}
	a.net, err = vpc.Open(t.Context(), db, vpc.Config{
		Place: model.Place{Region: "eu-central-1", Account: "000000000000"}, CIDR: netip.MustParsePrefix("10.7.0.0/16"), Interfaces: a.task.NetworkInterfaces,
		OnPolicy: func(p firewall.Policy) error {
			a.policies = append(a.policies, p)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.handler = wire.NewHandler([]wire.Service{ec2.New(a.net)}, auth, wire.Config{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	return a, func() { _ = db.Close() }
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a, stop := open(t, filepath.Join(t.TempDir(), "state.db"), anyone{})
	t.Cleanup(stop)
	return a
}

// answer is an XML answer, read as a tree.
type answer struct {
	XMLName xml.Name
	Text    string   `xml:",chardata"`
	Kids    []answer `xml:",any"`
}

// all gives the text of the elements at a path: "vpcSet/item/vpcId".
func (a answer) all(path string) []string {
	name, rest, more := strings.Cut(path, "/")
	var out []string
	for _, k := range a.Kids {
		switch {
		case k.XMLName.Local != name:
		case more:
			out = append(out, k.all(rest)...)
		default:
			out = append(out, k.Text)
		}
	}
	return out
}

// do calls an operation; an error comes back as "CODE: MESSAGE".
func (a *api) do(t *testing.T, form string) (answer, string) {
	t.Helper()
	values, err := url.ParseQuery("Version=2016-11-15&Action=" + form)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/ec2/aws4_request")
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	var out answer
	if err := xml.Unmarshal(body, &out); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if w.Code != 200 {
		return out, out.all("Errors/Error/Code")[0] + ": " + out.all("Errors/Error/Message")[0]
	}
	return out, ""
}

// must is do for a call that succeeds.
func (a *api) must(t *testing.T, form string) answer {
	t.Helper()
	out, failure := a.do(t, form)
	if failure != "" {
		t.Fatalf("%s: %s", form, failure)
	}
	return out
}

func want(t *testing.T, situation string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", situation, diff)
	}
}
