package ecs

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
)

// anyNamespace has one namespace.
type anyNamespace struct{}

func (anyNamespace) Namespace(name string) (model.Namespace, bool) {
	shop := model.Namespace{ARN: "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-1", Name: "shop"}
	return shop, name == shop.Name || name == shop.ARN
}

func (anyNamespace) CreateNamespace(_ context.Context, name string) (model.Namespace, error) {
	return model.Namespace{ARN: "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-" + name, Name: name}, nil
}

func openConnected(t *testing.T) *Catalogue {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c, err := Open(db, groups{}, Config{Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Namespaces: anyNamespace{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateCluster(t.Context(), CreateClusterRequest{}); err != nil {
		t.Fatal(err)
	}
	err = c.definitions.Put(t.Context(), "web/00000001", model.TaskDefinition{
		ARN: "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1", Family: "web", Revision: 1, Status: model.Active, CPUUnits: 256, MemoryMiB: 512,
		Containers: []model.ContainerDefinition{{Name: "app", PortMappings: []model.PortMapping{
			{Name: "http", ContainerPort: 8080, AppProtocol: "http"}, {Name: "db", ContainerPort: 5432},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func connected(name string, services ...model.ConnectService) CreateServiceRequest {
	return CreateServiceRequest{Name: name, Settings: ServiceSettings{
		TaskDefinition: new("web"), DesiredCount: new(0), Network: &model.Network{Subnets: []string{"subnet-1"}},
		Connect: &ConnectSettings{Enabled: true, Namespace: "shop", Services: services},
	}}
}

func TestConnectIsChecked(t *testing.T) {
	web := model.ConnectService{PortName: "http", Port: 80}
	with := func(change func(*model.ConnectService)) CreateServiceRequest {
		s := web
		change(&s)
		return connected("more", s)
	}
	for _, row := range []struct {
		name string
		req  CreateServiceRequest
		want string // "" is none
	}{
		{"a client", connected("more"), ""},
		{"another endpoint", with(func(s *model.ConnectService) { s.DiscoveryName = "other" }), ""},
		{"no port name", with(func(s *model.ConnectService) { s.PortName = "" }), "InvalidParameterException: portName can not be blank"},
		{"a port that is none", with(func(s *model.ConnectService) { s.PortName = "grpc" }), "InvalidParameterException: The portName 'grpc'"},
		{"capitals in the name", with(func(s *model.ConnectService) { s.DiscoveryName = "Other" }), "InvalidParameterException: Invalid discoveryName"},
		{"a long name", with(func(s *model.ConnectService) { s.DiscoveryName = strings.Repeat("x", 65) }), "InvalidParameterException: Invalid discoveryName"},
		{"a blank in the alias", with(func(s *model.ConnectService) { s.DiscoveryName, s.DNSName = "other", "a b" }), "InvalidParameterException: Invalid dnsName"},
		{"a line end in the alias", with(func(s *model.ConnectService) { s.DiscoveryName, s.DNSName = "other", "a\n10.0.0.1" }), "InvalidParameterException: Invalid dnsName"},
		{"a port above all", with(func(s *model.ConnectService) { s.Port = 65536 }), "InvalidParameterException: Invalid port"},
		{"a time-out of requests over TCP", with(func(s *model.ConnectService) { s.PortName, s.RequestTimeout = "db", new(time.Second) }), "InvalidParameterException: perRequestTimeoutSeconds"},
		{"a negative time-out", with(func(s *model.ConnectService) { s.IdleTimeout = new(-time.Second) }), "InvalidParameterException: Timeouts"},
		{"a name that another service has", with(func(*model.ConnectService) {}), "InvalidParameterException: The discoveryName 'http' is already in use"},
		{"an alias that another service has", with(func(s *model.ConnectService) { s.DiscoveryName, s.DNSName = "other", "http.shop" }), "InvalidParameterException: The client alias 'http.shop:80'"},
		{"a name twice", connected("more", model.ConnectService{PortName: "db"}, model.ConnectService{PortName: "http", DiscoveryName: "db"}), "InvalidParameterException: The discoveryName 'db'"},
		{"no namespace", func() CreateServiceRequest { r := connected("more"); r.Settings.Connect.Namespace = ""; return r }(), "InvalidParameterException: Namespace is required"},
		{"an unknown namespace", func() CreateServiceRequest { r := connected("more"); r.Settings.Connect.Namespace = "none"; return r }(), "NamespaceNotFoundException"},
		{"off, whatever else it says", func() CreateServiceRequest {
			r := connected("more")
			r.Settings.Connect.Enabled, r.Settings.Connect.Namespace = false, "none"
			return r
		}(), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := openConnected(t)
			if _, err := c.CreateService(t.Context(), connected("first", web)); err != nil {
				t.Fatal(err)
			}
			_, err := c.CreateService(t.Context(), row.req)
			if (err == nil) != (row.want == "") || err != nil && !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if _, there := c.Service("", "more"); there != (err == nil) {
				t.Errorf("the service is there: %v, after %v", there, err)
			}
		})
	}
}

// TestConnectChanges: a change of the configuration is a deployment; a service
// without says nothing of it.
func TestConnectChanges(t *testing.T) {
	c := openConnected(t)
	svc, err := c.CreateService(t.Context(), connected("web", model.ConnectService{PortName: "http", Port: 80}))
	if err != nil {
		t.Fatal(err)
	}
	first := svc.Deployments[0]
	if s := first.Connect.Services[0]; s.ContainerPort != 8080 || s.Protocol != "http" || s.Alias("shop") != "http.shop" || s.DiscoveryARN == "" {
		t.Errorf("resolved to %+v", s)
	}
	update := func(s *ConnectSettings) model.Service {
		t.Helper()
		svc, err := c.UpdateService(t.Context(), UpdateServiceRequest{Name: "web", Settings: ServiceSettings{Connect: s}})
		if err != nil {
			t.Fatal(err)
		}
		return svc
	}
	if svc = update(nil); svc.Deployments[0].ID != first.ID {
		t.Error("a change of nothing began a deployment")
	}
	again := connected("web", model.ConnectService{PortName: "http", Port: 80}).Settings.Connect
	if svc = update(again); svc.Deployments[0].ID != first.ID {
		t.Error("the same configuration began a deployment")
	}
	if svc = update(&ConnectSettings{}); svc.Deployments[0].ID == first.ID || svc.Connect != nil || svc.Deployments[0].Connect != nil {
		t.Errorf("switched off: %+v", svc.Connect)
	}
	if _, err := c.UpdateCluster(t.Context(), UpdateClusterRequest{Namespace: new("arn:aws:none")}); err == nil || !strings.HasPrefix(err.Error(), "NamespaceNotFoundException") {
		t.Errorf("an unknown default namespace: %v", err)
	}
	cluster, err := c.UpdateCluster(t.Context(), UpdateClusterRequest{Namespace: new("fresh")})
	if err != nil || cluster.ConnectNamespace.Name != "fresh" {
		t.Errorf("got %+v, %v, want a namespace made", cluster.ConnectNamespace, err)
	}
	var e *model.Error
	if _, err = c.CreateService(t.Context(), CreateServiceRequest{Name: "x", Settings: ServiceSettings{
		TaskDefinition: new("web"), DesiredCount: new(0), Network: &model.Network{Subnets: []string{"subnet-1"}}, Connect: &ConnectSettings{Enabled: true},
	}}); !errors.As(err, &e) || e.Code != "NamespaceNotFoundException" { // of the fake, which forgets it
		t.Errorf("the cluster's namespace was not asked for: %v", err)
	}
}
