package servicediscovery_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	face "neargate/internal/aws/servicediscovery"
	"neargate/internal/aws/wire"
	"neargate/internal/discovery"
	"neargate/internal/model"
	"neargate/internal/store"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) {
		return wire.Caller{ARN: "arn:aws:iam::000000000000:user/me"}, nil
	}, nil
}

// rig is an SDK client of a fresh directory.
type rig struct {
	*sdk.Client
	t     *testing.T
	tasks map[string][]model.Instance // by registry
}

func (r *rig) Members(arn string) []model.Instance { return slices.Clone(r.tasks[arn]) }

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	place := model.Place{Region: "us-east-1", Account: "000000000000"}
	r := &rig{t: t, tasks: map[string][]model.Instance{}}
	d, err := discovery.Open(db, discovery.Config{Place: place, Members: r, HasVPC: func(id string) bool { return id == "vpc-1" }})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(wire.NewHandler([]wire.Service{face.New(d, place)}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(srv.Close)
	transport := srv.Client().Transport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	// DiscoverInstances goes to data-HOST, as the SDK has it.
	transport.DialContext = func(ctx context.Context, network, to string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(to, "data-"))
	}
	r.Client = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: &http.Client{Transport: transport},
	})
	return r
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// target returns what an operation was about, as clients wait for it.
func (r *rig) target(id *string, kind types.OperationTargetType) string {
	r.t.Helper()
	op := must(r.GetOperation(r.t.Context(), &sdk.GetOperationInput{OperationId: id}))(r.t).Operation
	if op.Status != types.OperationStatusSuccess {
		r.t.Errorf("operation %s is %s", op.Type, op.Status)
	}
	return op.Targets[string(kind)]
}

func (r *rig) namespace(name string) string {
	r.t.Helper()
	out := must(r.CreatePrivateDnsNamespace(r.t.Context(), &sdk.CreatePrivateDnsNamespaceInput{Name: &name, Vpc: aws.String("vpc-1")}))(r.t)
	return r.target(out.OperationId, types.OperationTargetTypeNamespace)
}

func (r *rig) service(namespace, name string, change ...func(*sdk.CreateServiceInput)) *types.Service {
	r.t.Helper()
	return must(r.CreateService(r.t.Context(), request(namespace, name, change...)))(r.t).Service
}

func request(namespace, name string, change ...func(*sdk.CreateServiceInput)) *sdk.CreateServiceInput {
	in := &sdk.CreateServiceInput{Name: &name, NamespaceId: &namespace, DnsConfig: &types.DnsConfig{
		DnsRecords: []types.DnsRecord{{Type: types.RecordTypeA, TTL: aws.Int64(10)}},
	}}
	for _, f := range change {
		f(in)
	}
	return in
}

func custom(in *sdk.CreateServiceInput) {
	in.HealthCheckCustomConfig = &types.HealthCheckCustomConfig{FailureThreshold: aws.Int32(1)} //nolint:staticcheck // Terraform sends it
}

// TestAsTerraformDoes goes through what Terraform's provider calls for a
// namespace with a service, and what destroys them.
func TestAsTerraformDoes(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	in := &sdk.CreatePrivateDnsNamespaceInput{
		Name: aws.String("shop.local"), Vpc: aws.String("vpc-1"), CreatorRequestId: aws.String("tf-1"), Description: aws.String("of a test"),
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}
	op := must(r.CreatePrivateDnsNamespace(ctx, in))(t).OperationId
	if again := must(r.CreatePrivateDnsNamespace(ctx, in))(t).OperationId; *again != *op {
		t.Errorf("the same request again has operation %s, want %s", *again, *op)
	}
	id := r.target(op, types.OperationTargetTypeNamespace)
	ns := must(r.GetNamespace(ctx, &sdk.GetNamespaceInput{Id: &id}))(t).Namespace
	if *ns.Name != "shop.local" || ns.Type != types.NamespaceTypeDnsPrivate || *ns.Arn != "arn:aws:servicediscovery:us-east-1:000000000000:namespace/"+id ||
		*ns.Description != "of a test" || *ns.Properties.DnsProperties.SOA.TTL != 15 || *ns.Properties.DnsProperties.HostedZoneId == "" {
		t.Errorf("the namespace is %+v", ns)
	}
	tags := must(r.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: ns.Arn}))(t).Tags
	if len(tags) != 1 || *tags[0].Value != "b" {
		t.Errorf("tags %v", tags)
	}
	op = must(r.UpdatePrivateDnsNamespace(ctx, &sdk.UpdatePrivateDnsNamespaceInput{Id: &id, Namespace: &types.PrivateDnsNamespaceChange{
		Description: aws.String("changed"), Properties: &types.PrivateDnsNamespacePropertiesChange{DnsProperties: &types.PrivateDnsPropertiesMutableChange{SOA: &types.SOAChange{TTL: aws.Int64(60)}}},
	}}))(t).OperationId
	r.target(op, types.OperationTargetTypeNamespace)

	s := r.service(id, "web", custom)
	if *s.DnsConfig.NamespaceId != id || s.DnsConfig.RoutingPolicy != types.RoutingPolicyMultivalue || s.Type != types.ServiceTypeDnsHttp || //nolint:staticcheck // Terraform reads it
		*s.HealthCheckCustomConfig.FailureThreshold != 1 || *s.InstanceCount != 0 { //nolint:staticcheck // the same
		t.Errorf("the service is %+v", s)
	}
	op = must(r.UpdateService(ctx, &sdk.UpdateServiceInput{Id: s.Id, Service: &types.ServiceChange{
		Description: aws.String("changed"), DnsConfig: &types.DnsConfigChange{DnsRecords: []types.DnsRecord{{Type: types.RecordTypeA, TTL: aws.Int64(20)}}},
	}}))(t).OperationId
	r.target(op, types.OperationTargetTypeService)
	got := must(r.GetService(ctx, &sdk.GetServiceInput{Id: s.Arn}))(t).Service
	if *got.Description != "changed" || *got.DnsConfig.DnsRecords[0].TTL != 20 {
		t.Errorf("after the update: %+v", got)
	}

	if _, err := r.DeleteNamespace(ctx, &sdk.DeleteNamespaceInput{Id: &id}); code(err) != "ResourceInUse" {
		t.Errorf("delete a namespace in use: %v", err)
	}
	_, err := r.DeleteService(ctx, &sdk.DeleteServiceInput{Id: s.Id})
	if err == nil {
		_, err = r.DeleteNamespace(ctx, &sdk.DeleteNamespaceInput{Id: &id})
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := r.GetNamespace(ctx, &sdk.GetNamespaceInput{Id: &id}); code(err) != "NamespaceNotFound" {
		t.Errorf("get a deleted namespace: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	ns := r.namespace("shop.local")
	s := r.service(ns, "web", custom)
	plain := r.service(ns, "plain")
	http := r.target(must(r.CreateHttpNamespace(ctx, &sdk.CreateHttpNamespaceInput{Name: aws.String("mesh")}))(t).OperationId, types.OperationTargetTypeNamespace)
	private := func(name, vpc string) func() error {
		return func() error {
			_, err := r.CreatePrivateDnsNamespace(ctx, &sdk.CreatePrivateDnsNamespaceInput{Name: &name, Vpc: &vpc})
			return err
		}
	}
	create := func(namespace, name string, change ...func(*sdk.CreateServiceInput)) func() error {
		return func() error {
			_, err := r.CreateService(ctx, request(namespace, name, change...))
			return err
		}
	}
	records := func(policy types.RoutingPolicy, kinds ...types.RecordType) func(*sdk.CreateServiceInput) {
		return func(in *sdk.CreateServiceInput) {
			in.DnsConfig = &types.DnsConfig{RoutingPolicy: policy, DnsRecords: []types.DnsRecord{}}
			for _, k := range kinds {
				in.DnsConfig.DnsRecords = append(in.DnsConfig.DnsRecords, types.DnsRecord{Type: k, TTL: aws.Int64(1)})
			}
		}
	}
	register := func(service *string, id string, attributes map[string]string) func() error {
		return func() error {
			_, err := r.RegisterInstance(ctx, &sdk.RegisterInstanceInput{ServiceId: service, InstanceId: &id, Attributes: attributes})
			return err
		}
	}
	ip := map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1"}
	for _, row := range []struct {
		name string
		call func() error
		want string
	}{
		{"a name twice", private("SHOP.local", "vpc-1"), "NamespaceAlreadyExists"},
		{"a name of another kind twice", private("mesh", "vpc-1"), "NamespaceAlreadyExists"},
		{"no domain", private("a b", "vpc-1"), "InvalidInput"},
		{"a name with a dot too many", private("a..b", "vpc-1"), "InvalidInput"},
		{"AWS's own", private("x.amazonaws.com", "vpc-1"), "InvalidInput"},
		{"the VPC's own", private("ec2.internal", "vpc-1"), "InvalidInput"},
		{"localhost", private("localhost", "vpc-1"), "InvalidInput"},
		{"an unknown VPC", private("b.local", "vpc-2"), "InvalidInput"},
		{"an unknown namespace", create("ns-gone", "x"), "NamespaceNotFound"},
		{"a service twice", create(ns, "WEB"), "ServiceAlreadyExists"},
		{"no name of a service", create(ns, "a b"), "InvalidInput"},
		{"CNAME beside A", create(ns, "x", records("WEIGHTED", "CNAME", "A")), "InvalidInput"},
		{"CNAME with several values", create(ns, "x", records("MULTIVALUE", "CNAME")), "InvalidInput"},
		{"a type twice", create(ns, "x", records("", "A", "A")), "InvalidInput"},
		{"an unknown type", create(ns, "x", records("", "MX")), "InvalidInput"},
		{"an unknown policy", create(ns, "x", records("BEST", "A")), "InvalidInput"},
		{"no records", create(ns, "x", records("")), "InvalidInput"},
		{"records by HTTP", create(http, "x"), "InvalidInput"},
		{"a public health check", create(ns, "x", func(in *sdk.CreateServiceInput) {
			in.HealthCheckConfig = &types.HealthCheckConfig{Type: types.HealthCheckTypeTcp}
		}), "InvalidInput"},
		{"no address", register(s.Id, "i", map[string]string{}), "InvalidInput"},
		{"no IPv4 address", register(s.Id, "i", map[string]string{"AWS_INSTANCE_IPV4": "::1"}), "InvalidInput"},
		{"no port", register(s.Id, "i", map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "x"}), "InvalidInput"},
		{"no ID", register(s.Id, "a b", ip), "InvalidInput"},
		{"an unknown service", register(aws.String("srv-gone"), "i", ip), "ServiceNotFound"},
		{"health where none is asked for", register(plain.Id, "i", map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INIT_HEALTH_STATUS": "HEALTHY"}), "InvalidInput"},
		{"an alias of several values", register(plain.Id, "i", map[string]string{"AWS_ALIAS_DNS_NAME": "a.us-east-1.elb.amazonaws.com"}), "InvalidInput"},
		{"an unknown instance", func() error {
			_, err := r.DeregisterInstance(ctx, &sdk.DeregisterInstanceInput{ServiceId: s.Id, InstanceId: aws.String("i")})
			return err
		}, "InstanceNotFound"},
		{"health of a service without", func() error {
			_, err := r.UpdateInstanceCustomHealthStatus(ctx, &sdk.UpdateInstanceCustomHealthStatusInput{ServiceId: plain.Id, InstanceId: aws.String("i"), Status: "HEALTHY"})
			return err
		}, "CustomHealthNotFound"},
		{"an unknown operation", func() error {
			_, err := r.GetOperation(ctx, &sdk.GetOperationInput{OperationId: aws.String("x")})
			return err
		}, "OperationNotFound"},
		{"tags of what is not there", func() error {
			_, err := r.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:servicediscovery:us-east-1:000000000000:service/srv-gone")})
			return err
		}, "ResourceNotFoundException"},
		{"discovery in an unknown namespace", func() error {
			_, err := r.DiscoverInstances(ctx, &sdk.DiscoverInstancesInput{NamespaceName: aws.String("gone"), ServiceName: aws.String("web")})
			return err
		}, "NamespaceNotFound"},
	} {
		if got := code(row.call()); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if got := len(must(r.ListServices(ctx, &sdk.ListServicesInput{}))(t).Services); got != 2 {
		t.Errorf("%d services after what was refused, want 2", got)
	}
}

func TestInstances(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	ns := r.namespace("shop.local")
	s := r.service(ns, "web", custom)
	for _, one := range []struct{ id, ip, zone, health string }{{"i-1", "10.0.0.1", "a", ""}, {"i-2", "10.0.0.2", "b", "UNHEALTHY"}} {
		attributes := map[string]string{"AWS_INSTANCE_IPV4": one.ip, "zone": one.zone}
		if one.health != "" {
			attributes["AWS_INIT_HEALTH_STATUS"] = one.health
		}
		op := must(r.RegisterInstance(ctx, &sdk.RegisterInstanceInput{ServiceId: s.Id, InstanceId: &one.id, Attributes: attributes}))(t).OperationId
		if got := r.target(op, types.OperationTargetTypeInstance); got != one.id {
			t.Errorf("the operation is of %s", got)
		}
	}
	r.tasks[*s.Arn] = []model.Instance{{ID: "task", Attributes: map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.3"}}}

	discover := func(change func(*sdk.DiscoverInstancesInput)) (ids string) {
		in := &sdk.DiscoverInstancesInput{NamespaceName: aws.String("shop.local"), ServiceName: aws.String("web")}
		change(in)
		for _, i := range must(r.DiscoverInstances(ctx, in))(t).Instances {
			ids += *i.InstanceId + " " + string(i.HealthStatus) + " "
		}
		return ids
	}
	health := func(h types.HealthStatusFilter) func(*sdk.DiscoverInstancesInput) {
		return func(in *sdk.DiscoverInstancesInput) { in.HealthStatus = h }
	}
	for _, row := range []struct {
		name   string
		change func(*sdk.DiscoverInstancesInput)
		want   string
	}{
		{"as it is", health(""), "i-1 HEALTHY task HEALTHY "},
		{"healthy", health("HEALTHY"), "i-1 HEALTHY task HEALTHY "},
		{"unhealthy", health("UNHEALTHY"), "i-2 UNHEALTHY "},
		{"all", health("ALL"), "i-1 HEALTHY i-2 UNHEALTHY task HEALTHY "},
		{"an attribute", func(in *sdk.DiscoverInstancesInput) { in.QueryParameters = map[string]string{"zone": "b"} }, "i-2 UNHEALTHY "},
		{"an attribute that none has", func(in *sdk.DiscoverInstancesInput) { in.QueryParameters = map[string]string{"zone": "c"} }, ""},
		{"rather an attribute", func(in *sdk.DiscoverInstancesInput) { in.OptionalParameters = map[string]string{"zone": "a"} }, "i-1 HEALTHY "},
		{"rather one that none has", func(in *sdk.DiscoverInstancesInput) { in.OptionalParameters = map[string]string{"zone": "c"} }, "i-1 HEALTHY task HEALTHY "},
		{"at most one", func(in *sdk.DiscoverInstancesInput) { in.MaxResults = aws.Int32(1) }, "i-1 HEALTHY "},
	} {
		if got := discover(row.change); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}

	must(r.UpdateInstanceCustomHealthStatus(ctx, &sdk.UpdateInstanceCustomHealthStatusInput{ServiceId: s.Id, InstanceId: aws.String("i-2"), Status: "HEALTHY"}))(t)
	states := must(r.GetInstancesHealthStatus(ctx, &sdk.GetInstancesHealthStatusInput{ServiceId: s.Id}))(t).Status
	if diff := cmp.Diff(map[string]types.HealthStatus{"i-1": "HEALTHY", "i-2": "HEALTHY", "task": "HEALTHY"}, states); diff != "" {
		t.Error(diff)
	}
	first := must(r.ListInstances(ctx, &sdk.ListInstancesInput{ServiceId: s.Id, MaxResults: aws.Int32(2)}))(t)
	rest := must(r.ListInstances(ctx, &sdk.ListInstancesInput{ServiceId: s.Id, NextToken: first.NextToken}))(t)
	if len(first.Instances) != 2 || len(rest.Instances) != 1 || rest.NextToken != nil || *rest.Instances[0].Id != "task" {
		t.Errorf("pages of %d and %d", len(first.Instances), len(rest.Instances))
	}
	got := must(r.GetInstance(ctx, &sdk.GetInstanceInput{ServiceId: s.Id, InstanceId: aws.String("i-1")}))(t).Instance
	if !maps.Equal(got.Attributes, map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1", "zone": "a"}) {
		t.Errorf("attributes %v", got.Attributes)
	}

	// What runs cannot be taken out, nor the service under it deleted.
	if _, err := r.DeregisterInstance(ctx, &sdk.DeregisterInstanceInput{ServiceId: s.Id, InstanceId: aws.String("task")}); code(err) != "ResourceInUse" {
		t.Errorf("deregister a task: %v", err)
	}
	for _, id := range []string{"i-1", "i-2"} {
		must(r.DeregisterInstance(ctx, &sdk.DeregisterInstanceInput{ServiceId: s.Id, InstanceId: &id}))(t)
	}
	if _, err := r.DeleteService(ctx, &sdk.DeleteServiceInput{Id: s.Id}); code(err) != "ResourceInUse" {
		t.Errorf("delete a service with a task: %v", err)
	}
	delete(r.tasks, *s.Arn)
	must(r.DeleteService(ctx, &sdk.DeleteServiceInput{Id: s.Id}))(t)
}

func TestLists(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	a, b := r.namespace("a.local"), r.namespace("b.local")
	r.target(must(r.CreateHttpNamespace(ctx, &sdk.CreateHttpNamespaceInput{Name: aws.String("mesh")}))(t).OperationId, types.OperationTargetTypeNamespace)
	r.service(a, "one")
	r.service(b, "two")
	namespaces := func(name types.NamespaceFilterName, condition types.FilterCondition, value string) (all []string) {
		in := &sdk.ListNamespacesInput{Filters: []types.NamespaceFilter{{Name: name, Condition: condition, Values: []string{value}}}}
		for _, ns := range must(r.ListNamespaces(ctx, in))(t).Namespaces {
			all = append(all, *ns.Name)
		}
		slices.Sort(all)
		return all
	}
	for _, row := range []struct {
		got, want []string
	}{
		{namespaces("TYPE", "EQ", "DNS_PRIVATE"), []string{"a.local", "b.local"}},
		{namespaces("NAME", "", "b.local"), []string{"b.local"}},
		{namespaces("HTTP_NAME", "BEGINS_WITH", "me"), []string{"mesh"}},
		{namespaces("RESOURCE_OWNER", "EQ", "OTHER_ACCOUNTS"), nil},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Error(diff)
		}
	}
	services := must(r.ListServices(ctx, &sdk.ListServicesInput{Filters: []types.ServiceFilter{{Name: "NAMESPACE_ID", Values: []string{b}}}}))(t).Services
	if len(services) != 1 || *services[0].Name != "two" {
		t.Errorf("services of %s: %v", b, services)
	}
	operations := must(r.ListOperations(ctx, &sdk.ListOperationsInput{Filters: []types.OperationFilter{{Name: "NAMESPACE_ID", Values: []string{a}}}}))(t).Operations
	if len(operations) != 1 {
		t.Errorf("%d operations of %s, want 1", len(operations), a)
	}
}
