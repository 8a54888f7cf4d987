package ec2

import (
	"context"
	"slices"

	"neargate/internal/vpc"
)

type createDhcpOptionsInput struct {
	DhcpConfigurations []dhcpConfiguration `query:"DhcpConfiguration"`
	TagSpecifications  []tagSpecification  `query:"TagSpecification"`
	DryRun             bool
}

type dhcpConfiguration struct {
	Key    string
	Values []string `query:"Value"`
}

type createDhcpOptionsOutput struct {
	DhcpOptions dhcpOptions
}

type dhcpOptions struct {
	DhcpOptionsID, OwnerID string

	DhcpConfigurations []dhcpShown `xml:"dhcpConfigurationSet"`
	Tags               []tag       `xml:"tagSet"`
}

type dhcpShown struct {
	Key    string
	Values []attributeShown `xml:"valueSet"`
}

type attributeShown struct {
	Value string
}

// createDhcpOptions: codes MissingParameter, InvalidParameterValue,
// DhcpOptionsLimitExceeded.
func (s *service) createDhcpOptions(ctx context.Context, in *createDhcpOptionsInput) (*createDhcpOptionsOutput, error) {
	if len(in.DhcpConfigurations) == 0 {
		return nil, missing("dhcpConfigurations")
	}
	tags, err := specified(in.TagSpecifications, vpc.KindDHCPOptions)
	if err != nil {
		return nil, err
	}
	var values []vpc.DHCPValue
	for _, c := range in.DhcpConfigurations {
		if !slices.Contains([]string{"domain-name", "domain-name-servers", "ntp-servers", "netbios-name-servers", "netbios-node-type", "ipv6-address-preferred-lease-time"}, c.Key) {
			return nil, invalid("Value (%.80s) for parameter name is invalid. Unknown DHCP option", c.Key)
		}
		values = append(values, vpc.DHCPValue{Key: c.Key, Values: c.Values})
	}
	d, err := s.n.CreateDHCPOptions(ctx, values, tags)
	if err != nil {
		return nil, err
	}
	return &createDhcpOptionsOutput{s.showDHCP(d)}, nil
}

func (s *service) showDHCP(d vpc.DHCPOptions) dhcpOptions {
	out := dhcpOptions{DhcpOptionsID: d.ID, OwnerID: s.n.Place().Account, Tags: tagsOut(s.n.Tags(d.ID))}
	for _, v := range d.Values {
		shown := dhcpShown{Key: v.Key}
		for _, text := range v.Values {
			shown.Values = append(shown.Values, attributeShown{text})
		}
		out.DhcpConfigurations = append(out.DhcpConfigurations, shown)
	}
	return out
}

type dhcpOptionsInput struct {
	DhcpOptionsID string
	DryRun        bool
}

// deleteDhcpOptions: codes MissingParameter, InvalidDhcpOptionID.NotFound,
// DependencyViolation.
func (s *service) deleteDhcpOptions(ctx context.Context, in *dhcpOptionsInput) (*done, error) {
	if err := required("dhcpOptionsId", in.DhcpOptionsID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteDHCPOptions(ctx, in.DhcpOptionsID))
}

type associateDhcpOptionsInput struct {
	DhcpOptionsID, VpcID string

	DryRun bool
}

// associateDhcpOptions gives a VPC other options; "default" are those it had at
// first. Codes MissingParameter, InvalidVpcID.NotFound,
// InvalidDhcpOptionID.NotFound.
func (s *service) associateDhcpOptions(ctx context.Context, in *associateDhcpOptionsInput) (*done, error) {
	if err := required("dhcpOptionsId", in.DhcpOptionsID, "vpcId", in.VpcID); err != nil {
		return nil, err
	}
	id := in.DhcpOptionsID
	if id == "default" {
		id = s.n.DefaultDHCPOptions()
	}
	return finish(s.n.ChangeVPC(ctx, in.VpcID, func(v *vpc.VPC) error {
		v.DHCPOptions = id
		return nil
	}))
}

type describeDhcpOptionsInput struct {
	DhcpOptionsIDs []string `query:"DhcpOptionsId"`
	Filters        []filter `query:"Filter"`
	MaxResults     *int
	NextToken      string
	DryRun         bool
}

type describeDhcpOptionsOutput struct {
	DhcpOptions []dhcpOptions `xml:"dhcpOptionsSet"`
	NextToken   string
}

// describeDhcpOptions: codes InvalidDhcpOptionID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeDhcpOptions(_ context.Context, in *describeDhcpOptionsInput) (*describeDhcpOptionsOutput, error) {
	cut, next, err := list(s, s.n.DHCPOptions(), lister[vpc.DHCPOptions]{
		kind: vpc.KindDHCPOptions, id: func(d vpc.DHCPOptions) string { return d.ID }, attributes: func(d vpc.DHCPOptions) attributes {
			a := attributes{"dhcp-options-id": {d.ID}, "owner-id": {s.n.Place().Account}, "key": nil, "value": nil}
			for _, v := range d.Values {
				a["key"], a["value"] = append(a["key"], v.Key), append(a["value"], v.Values...)
			}
			return a
		},
	}, query{in.DhcpOptionsIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeDhcpOptionsOutput{NextToken: next}
	for _, d := range cut {
		out.DhcpOptions = append(out.DhcpOptions, s.showDHCP(d))
	}
	return out, nil
}
