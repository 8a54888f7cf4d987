package servicediscovery

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"neargate/internal/aws/wire"
	"neargate/internal/discovery"
	"neargate/internal/model"
)

// createService: codes InvalidInput, NamespaceNotFound, ServiceAlreadyExists,
// TooManyTagsException.
func (s *service) createService(ctx context.Context, in *sdk.CreateServiceInput) (*sdk.CreateServiceOutput, error) {
	var c wire.Checks
	one := model.DiscoveryService{
		Name: c.Text("name", in.Name, 1, 127), Description: c.OptionalText("description", in.Description, 0, 1024),
		NamespaceID: aws.ToString(in.NamespaceId), Type: string(in.Type), CreatorRequestID: aws.ToString(in.CreatorRequestId), Tags: readTags(in.Tags),
	}
	c.OneOf("type", string(in.Type), string(types.ServiceTypeOptionHttp))
	if d := in.DnsConfig; d != nil {
		c.OneOf("dnsConfig.routingPolicy", string(d.RoutingPolicy), discovery.Multivalue, discovery.Weighted)
		one.RoutingPolicy = string(d.RoutingPolicy)
	}
	if err := c.Err(invalidInput); err != nil {
		return nil, err
	}
	if h := in.HealthCheckCustomConfig; h != nil {
		one.CustomHealth, one.FailureThreshold = true, int(max(aws.ToInt32(h.FailureThreshold), 1)) //nolint:staticcheck // deprecated, and still sent by Terraform
	}
	if d := in.DnsConfig; d != nil {
		var err error
		if one.Records, err = readRecords(d.DnsRecords); err != nil {
			return nil, err
		}
		if one.NamespaceID == "" { // where it stood before it moved up
			one.NamespaceID = aws.ToString(d.NamespaceId) //nolint:staticcheck // deprecated, and still read
		}
	}
	if one.NamespaceID == "" {
		return nil, invalid("NamespaceId is required")
	}
	one, err := s.directory.CreateService(ctx, one)
	if err != nil {
		return nil, err
	}
	return &sdk.CreateServiceOutput{Service: s.service(one)}, nil
}

func readRecords(in []types.DnsRecord) ([]model.DiscoveryRecord, error) {
	out := make([]model.DiscoveryRecord, len(in))
	for i, r := range in {
		if !slices.Contains(r.Type.Values(), r.Type) {
			return nil, invalid("%s is not a valid type of a DNS record", r.Type)
		}
		t, err := ttl(r.TTL)
		if err != nil {
			return nil, err
		}
		out[i] = model.DiscoveryRecord{Type: string(r.Type), TTL: t}
	}
	return out, nil
}

func (s *service) service(one model.DiscoveryService) *types.Service {
	out := &types.Service{
		Id: aws.String(one.ID), Arn: aws.String(one.ARN), Name: aws.String(one.Name), NamespaceId: aws.String(one.NamespaceID), Type: types.ServiceType(one.Type),
		Description: text(one.Description), CreateDate: aws.Time(one.CreatedAt), CreatorRequestId: text(one.CreatorRequestID),
		CreatedByAccount: aws.String(s.place.Account), ResourceOwner: aws.String(s.place.Account), InstanceCount: aws.Int32(s.instances(one)),
		DnsConfig: dnsConfig(one), HealthCheckCustomConfig: customHealth(one),
	}
	return out
}

func (s *service) instances(one model.DiscoveryService) int32 {
	all, _ := s.directory.Instances(one.ID) // none, if it has just been deleted
	return int32(len(all))
}

// dnsConfig is an empty one for a service without records, as AWS answers.
func dnsConfig(one model.DiscoveryService) *types.DnsConfig {
	out := &types.DnsConfig{}
	if len(one.Records) == 0 {
		return out
	}
	out.NamespaceId, out.RoutingPolicy = aws.String(one.NamespaceID), types.RoutingPolicy(one.RoutingPolicy) //nolint:staticcheck // deprecated, and still answered
	for _, r := range one.Records {
		out.DnsRecords = append(out.DnsRecords, types.DnsRecord{Type: types.RecordType(r.Type), TTL: secondsOf(r.TTL)})
	}
	return out
}

func customHealth(one model.DiscoveryService) *types.HealthCheckCustomConfig {
	if !one.CustomHealth {
		return nil
	}
	return &types.HealthCheckCustomConfig{FailureThreshold: aws.Int32(int32(one.FailureThreshold))} //nolint:staticcheck // deprecated, and still answered
}

// getService: codes InvalidInput, ServiceNotFound.
func (s *service) getService(_ context.Context, in *sdk.GetServiceInput) (*sdk.GetServiceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	one, err := s.directory.Service(id)
	if err != nil {
		return nil, err
	}
	return &sdk.GetServiceOutput{Service: s.service(one)}, nil
}

// listServices: code InvalidInput.
func (s *service) listServices(_ context.Context, in *sdk.ListServicesInput) (*sdk.ListServicesOutput, error) {
	all := s.directory.Services()
	for _, f := range in.Filters {
		value := map[types.ServiceFilterName]func(model.DiscoveryService) string{
			types.ServiceFilterNameNamespaceId:   func(one model.DiscoveryService) string { return one.NamespaceID },
			types.ServiceFilterNameResourceOwner: func(model.DiscoveryService) string { return owner },
		}[f.Name]
		if value == nil {
			return nil, invalid("%s is not a valid name of a filter", f.Name)
		}
		keep := condition{f.Condition, slices.Clone(f.Values)}
		for i, v := range keep.values {
			keep.values[i] = v[1+strings.LastIndexByte(v, '/'):] // of an ARN
		}
		all = slices.DeleteFunc(all, func(one model.DiscoveryService) bool { return !keep.holds(value(one)) })
	}
	all, next, err := page(all, func(one model.DiscoveryService) string { return one.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListServicesOutput{Services: []types.ServiceSummary{}, NextToken: next}
	for _, one := range all {
		full := s.service(one)
		out.Services = append(out.Services, types.ServiceSummary{
			Id: full.Id, Arn: full.Arn, Name: full.Name, Type: full.Type, Description: full.Description, CreateDate: full.CreateDate,
			CreatedByAccount: full.CreatedByAccount, ResourceOwner: full.ResourceOwner, InstanceCount: full.InstanceCount,
			DnsConfig: full.DnsConfig, HealthCheckCustomConfig: full.HealthCheckCustomConfig,
		})
	}
	return out, nil
}

// updateService: codes InvalidInput, ServiceNotFound.
func (s *service) updateService(ctx context.Context, in *sdk.UpdateServiceInput) (*sdk.UpdateServiceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	if in.Service == nil {
		return nil, invalid("The changes of the service are missing")
	}
	change := discovery.ServiceChange{Description: in.Service.Description}
	if d := in.Service.DnsConfig; d != nil {
		if change.Records, err = readRecords(d.DnsRecords); err != nil {
			return nil, err
		}
	}
	op, err := s.directory.UpdateService(ctx, id, change)
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateServiceOutput{OperationId: aws.String(op)}, nil
}

// deleteService: codes InvalidInput, ResourceInUse, ServiceNotFound.
func (s *service) deleteService(ctx context.Context, in *sdk.DeleteServiceInput) (*sdk.DeleteServiceOutput, error) {
	id, err := identifier("id", in.Id)
	if err != nil {
		return nil, err
	}
	if err := s.directory.DeleteService(ctx, id); err != nil {
		return nil, err
	}
	return &sdk.DeleteServiceOutput{}, nil
}
