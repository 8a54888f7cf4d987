package servicediscovery

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"neargate/internal/aws/wire"
	"neargate/internal/discovery"
	"neargate/internal/model"
)

// createPrivateDNSNamespace: codes InvalidInput, NamespaceAlreadyExists,
// TooManyTagsException.
func (s *service) createPrivateDNSNamespace(ctx context.Context, in *sdk.CreatePrivateDnsNamespaceInput) (*sdk.CreatePrivateDnsNamespaceOutput, error) {
	var c wire.Checks
	ns := model.DiscoveryNamespace{
		Name: c.Text("name", in.Name, 1, 253), VpcID: c.Text("vpc", in.Vpc, 1, 64), Type: discovery.PrivateDNS,
		Description: c.OptionalText("description", in.Description, 0, 1024), CreatorRequestID: aws.ToString(in.CreatorRequestId), Tags: readTags(in.Tags),
	}
	if err := c.Err(invalidInput); err != nil {
		return nil, err
	}
	if p := in.Properties; p != nil && p.DnsProperties != nil && p.DnsProperties.SOA != nil {
		var err error
		if ns.NegativeTTL, err = ttl(p.DnsProperties.SOA.TTL); err != nil {
			return nil, err
		}
	}
	op, err := s.directory.CreateNamespace(ctx, ns)
	if err != nil {
		return nil, err
	}
	return &sdk.CreatePrivateDnsNamespaceOutput{OperationId: aws.String(op)}, nil
}

// createHTTPNamespace: codes InvalidInput, NamespaceAlreadyExists,
// TooManyTagsException.
func (s *service) createHTTPNamespace(ctx context.Context, in *sdk.CreateHttpNamespaceInput) (*sdk.CreateHttpNamespaceOutput, error) {
	var c wire.Checks
	ns := model.DiscoveryNamespace{
		Name: c.Text("name", in.Name, 1, 1024), Type: discovery.HTTP, Description: c.OptionalText("description", in.Description, 0, 1024),
		CreatorRequestID: aws.ToString(in.CreatorRequestId), Tags: readTags(in.Tags),
	}
	if err := c.Err(invalidInput); err != nil {
		return nil, err
	}
	op, err := s.directory.CreateNamespace(ctx, ns)
	if err != nil {
		return nil, err
	}
	return &sdk.CreateHttpNamespaceOutput{OperationId: aws.String(op)}, nil
}

// updatePrivateDNSNamespace: codes InvalidInput, NamespaceNotFound.
func (s *service) updatePrivateDNSNamespace(ctx context.Context, in *sdk.UpdatePrivateDnsNamespaceInput) (*sdk.UpdatePrivateDnsNamespaceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	if in.Namespace == nil {
		return nil, invalid("The changes of the namespace are missing")
	}
	var soa *time.Duration
	if p := in.Namespace.Properties; p != nil && p.DnsProperties != nil && p.DnsProperties.SOA != nil {
		v, err := ttl(p.DnsProperties.SOA.TTL)
		if err != nil {
			return nil, err
		}
		soa = &v
	}
	op, err := s.directory.UpdateNamespace(ctx, id, discovery.PrivateDNS, in.Namespace.Description, soa)
	if err != nil {
		return nil, err
	}
	return &sdk.UpdatePrivateDnsNamespaceOutput{OperationId: aws.String(op)}, nil
}

// updateHTTPNamespace: codes InvalidInput, NamespaceNotFound.
func (s *service) updateHTTPNamespace(ctx context.Context, in *sdk.UpdateHttpNamespaceInput) (*sdk.UpdateHttpNamespaceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	if in.Namespace == nil {
		return nil, invalid("The changes of the namespace are missing")
	}
	op, err := s.directory.UpdateNamespace(ctx, id, discovery.HTTP, in.Namespace.Description, nil)
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateHttpNamespaceOutput{OperationId: aws.String(op)}, nil
}

// deleteNamespace: codes InvalidInput, NamespaceNotFound, ResourceInUse.
func (s *service) deleteNamespace(ctx context.Context, in *sdk.DeleteNamespaceInput) (*sdk.DeleteNamespaceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	op, err := s.directory.DeleteNamespace(ctx, id)
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteNamespaceOutput{OperationId: aws.String(op)}, nil
}

// getNamespace: codes InvalidInput, NamespaceNotFound.
func (s *service) getNamespace(_ context.Context, in *sdk.GetNamespaceInput) (*sdk.GetNamespaceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	ns, err := s.directory.Namespace(id)
	if err != nil {
		return nil, err
	}
	return &sdk.GetNamespaceOutput{Namespace: &types.Namespace{
		Id: aws.String(ns.ID), Arn: aws.String(ns.ARN), Name: aws.String(ns.Name), Type: types.NamespaceType(ns.Type), Description: text(ns.Description),
		CreateDate: aws.Time(ns.CreatedAt), CreatorRequestId: text(ns.CreatorRequestID), Properties: properties(ns), ResourceOwner: aws.String(s.place.Account),
		ServiceCount: aws.Int32(s.services(ns)),
	}}, nil
}

func properties(ns model.DiscoveryNamespace) *types.NamespaceProperties {
	p := &types.NamespaceProperties{HttpProperties: &types.HttpProperties{HttpName: aws.String(ns.Name)}}
	if ns.Type == discovery.PrivateDNS {
		p.DnsProperties = &types.DnsProperties{HostedZoneId: aws.String(ns.HostedZoneID), SOA: &types.SOA{TTL: secondsOf(ns.NegativeTTL)}}
	}
	return p
}

func (s *service) services(ns model.DiscoveryNamespace) (n int32) {
	for _, one := range s.directory.Services() {
		if one.NamespaceID == ns.ID {
			n++
		}
	}
	return n
}

// listNamespaces: code InvalidInput.
func (s *service) listNamespaces(_ context.Context, in *sdk.ListNamespacesInput) (*sdk.ListNamespacesOutput, error) {
	all := s.directory.Namespaces()
	for _, f := range in.Filters {
		value := map[types.NamespaceFilterName]func(model.DiscoveryNamespace) string{
			types.NamespaceFilterNameType:          func(ns model.DiscoveryNamespace) string { return ns.Type },
			types.NamespaceFilterNameName:          func(ns model.DiscoveryNamespace) string { return ns.Name },
			types.NamespaceFilterNameHttpName:      func(ns model.DiscoveryNamespace) string { return ns.Name },
			types.NamespaceFilterNameResourceOwner: func(model.DiscoveryNamespace) string { return owner },
		}[f.Name]
		if value == nil {
			return nil, invalid("%s is not a valid name of a filter", f.Name)
		}
		keep := condition{f.Condition, f.Values}
		all = slices.DeleteFunc(all, func(ns model.DiscoveryNamespace) bool { return !keep.holds(value(ns)) })
	}
	all, next, err := page(all, func(ns model.DiscoveryNamespace) string { return ns.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListNamespacesOutput{Namespaces: []types.NamespaceSummary{}, NextToken: next}
	for _, ns := range all {
		out.Namespaces = append(out.Namespaces, types.NamespaceSummary{
			Id: aws.String(ns.ID), Arn: aws.String(ns.ARN), Name: aws.String(ns.Name), Type: types.NamespaceType(ns.Type), Description: text(ns.Description),
			CreateDate: aws.Time(ns.CreatedAt), Properties: properties(ns), ResourceOwner: aws.String(s.place.Account), ServiceCount: aws.Int32(s.services(ns)),
		})
	}
	return out, nil
}

// owner is the value of RESOURCE_OWNER that everything has.
const owner = "SELF"

// condition is a filter's. API_NamespaceFilter, API_OperationFilter.
type condition struct {
	kind   types.FilterCondition
	values []string
}

func (c condition) holds(v string) bool {
	if c.kind == types.FilterConditionBeginsWith {
		return slices.ContainsFunc(c.values, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	}
	return slices.Contains(c.values, v)
}
