package discovery

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
)

// tasks are instances of every service that has SRV records.
type tasks map[string][]model.Instance

func (t tasks) Members(arn string) []model.Instance { return t[arn] }

func open1(t *testing.T, path string, with tasks) *Directory {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d, err := Open(db, Config{Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Members: with})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *Directory) namespace(t *testing.T, name string) model.DiscoveryNamespace {
	t.Helper()
	if _, err := d.CreateNamespace(t.Context(), model.DiscoveryNamespace{Name: name, Type: PrivateDNS}); err != nil {
		t.Fatal(err)
	}
	ns, _ := d.NamespaceNamed(name)
	return ns
}

func (d *Directory) service(t *testing.T, ns model.DiscoveryNamespace, name, policy string, kinds ...string) model.DiscoveryService {
	t.Helper()
	s := model.DiscoveryService{NamespaceID: ns.ID, Name: name, RoutingPolicy: policy, CustomHealth: policy != Weighted}
	for _, k := range kinds {
		s.Records = append(s.Records, model.DiscoveryRecord{Type: k, TTL: 10 * time.Second})
	}
	s, err := d.CreateService(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *Directory) register(t *testing.T, s model.DiscoveryService, id string, attributes ...string) {
	t.Helper()
	in := model.Instance{ServiceID: s.ID, ID: id, Attributes: map[string]string{}}
	for i := 0; i < len(attributes); i += 2 {
		in.Attributes[attributes[i]] = attributes[i+1]
	}
	if _, err := d.RegisterInstance(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// at says what there is at a name; several records in the order of their text.
func (d *Directory) at(name string) string {
	n, ok := d.Lookup(name)
	switch {
	case !ok:
		return "unknown"
	case n.Missing:
		return n.Zone + " missing"
	}
	var all []string
	for _, r := range n.Records {
		text := r.CNAME + r.Alias + r.Target
		if r.Address.IsValid() {
			text = r.Address.String()
		}
		if r.Port > 0 {
			text += ":" + fmt.Sprint(r.Port)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return n.Zone + " " + strings.Join(all, " ")
}

func TestLookup(t *testing.T) {
	with := tasks{}
	d := open1(t, filepath.Join(t.TempDir(), "state.db"), with)
	ns, inner := d.namespace(t, "Shop.local"), d.namespace(t, "in.shop.local")
	if _, err := d.CreateNamespace(t.Context(), model.DiscoveryNamespace{Name: "mesh.test", Type: HTTP}); err != nil {
		t.Fatal(err)
	}
	web := d.service(t, ns, "web", Multivalue, "A", "AAAA")
	d.register(t, web, "i-1", "AWS_INSTANCE_IPV4", "10.0.0.1", "AWS_INSTANCE_IPV6", "fd00::1")
	d.register(t, web, "i-2", "AWS_INSTANCE_IPV4", "10.0.0.2", "AWS_INSTANCE_IPV6", "fd00::2", "AWS_INIT_HEALTH_STATUS", "UNHEALTHY")
	api := d.service(t, ns, "_api._tcp", Multivalue, "SRV", "A")
	with[api.ARN] = []model.Instance{{ID: "Task1", Attributes: map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.4", "AWS_INSTANCE_PORT": "8080"}}}
	d.register(t, d.service(t, ns, "alias", Weighted, "A"), "lb", "AWS_ALIAS_DNS_NAME", "Web-1.us-east-1.elb.amazonaws.com.")
	d.register(t, d.service(t, ns, "cname", Weighted, "CNAME"), "x", "AWS_INSTANCE_CNAME", "www.example.org")
	d.register(t, d.service(t, inner, "deep", Multivalue, "A"), "x", "AWS_INSTANCE_IPV4", "10.0.0.5")
	for name, want := range map[string]string{
		"web.shop.local":             "shop.local 10.0.0.1 fd00::1",
		"_api._tcp.shop.local":       "shop.local 10.0.0.4 task1._api._tcp.shop.local:8080",
		"task1._api._tcp.shop.local": "shop.local 10.0.0.4",
		"task2._api._tcp.shop.local": "shop.local missing",
		"_tcp.shop.local":            "shop.local ",
		"i-1.web.shop.local":         "shop.local missing", // it has no SRV record
		"alias.shop.local":           "shop.local web-1.us-east-1.elb.amazonaws.com",
		"cname.shop.local":           "shop.local www.example.org",
		"deep.in.shop.local":         "in.shop.local 10.0.0.5",
		"deep.shop.local":            "shop.local missing",
		"shop.local":                 "shop.local ",
		"gone.shop.local":            "shop.local missing",
		"local":                      "unknown",
		"web.mesh.test":              "unknown",
		"ashop.local":                "unknown",
	} {
		if got := d.at(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}

	if err := d.SetHealth(t.Context(), web.ID, "i-1", false); err != nil {
		t.Fatal(err)
	}
	if got, want := d.at("web.shop.local"), "shop.local 10.0.0.1 10.0.0.2 fd00::1 fd00::2"; got != want {
		t.Errorf("with none healthy: got %q, want %q", got, want)
	}
	delete(with, api.ARN)
	if got := d.at("_api._tcp.shop.local"); got != "shop.local " {
		t.Errorf("after the task has gone: %q", got)
	}
}

// TestRoutingPolicies: an answer has eight instances at most, or one, and over
// many answers each instance has its turn.
func TestRoutingPolicies(t *testing.T) {
	d := open1(t, filepath.Join(t.TempDir(), "state.db"), nil)
	ns := d.namespace(t, "shop.local")
	many, one := d.service(t, ns, "many", Multivalue, "A"), d.service(t, ns, "one", Weighted, "A")
	for i := range 12 {
		for _, s := range []model.DiscoveryService{many, one} {
			d.register(t, s, fmt.Sprint("i-", i), "AWS_INSTANCE_IPV4", fmt.Sprint("10.0.0.", i+1))
		}
	}
	for name, most := range map[string]int{"many.shop.local": 8, "one.shop.local": 1} {
		seen := map[string]bool{}
		for range 300 { // that one of twelve is never drawn: once in 10^11
			n, _ := d.Lookup(name)
			if len(n.Records) != most {
				t.Fatalf("%s has %d records, want %d", name, len(n.Records), most)
			}
			for _, r := range n.Records {
				seen[r.Address.String()] = true
			}
		}
		if len(seen) != 12 {
			t.Errorf("%s: %d instances were answered, want 12", name, len(seen))
		}
	}
}

func TestDirectoryIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	func() {
		db, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		d, err := Open(db, Config{Place: model.Place{Region: "us-east-1", Account: "000000000000"}})
		if err != nil {
			t.Fatal(err)
		}
		s := d.service(t, d.namespace(t, "shop.local"), "web", Multivalue, "A")
		d.register(t, s, "i-1", "AWS_INSTANCE_IPV4", "10.0.0.1")
	}()
	d := open1(t, path, nil)
	if got := d.at("web.shop.local"); got != "shop.local 10.0.0.1" {
		t.Errorf("after a restart: %q", got)
	}
	if got := len(d.Operations()); got != 2 {
		t.Errorf("%d operations are kept, want 2", got)
	}
}
