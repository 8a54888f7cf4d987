package ec2

import (
	"context"
	"slices"

	"neargate/internal/aws/wire"
)

func (s *service) accountOperations() []wire.Operation {
	return []wire.Operation{
		op("CreateTags", s.createTags),
		op("DeleteTags", s.deleteTags),
		op("DescribeAccountAttributes", s.describeAccountAttributes),
		op("DescribeAvailabilityZones", s.describeAvailabilityZones),
		op("DescribeNetworkInterfaces", s.describeNetworkInterfaces),
		op("DescribeRegions", s.describeRegions),
		op("DescribeTags", s.describeTags),
	}
}

type describeAccountAttributesInput struct {
	AttributeNames []string `query:"AttributeName"`
	DryRun         bool
}

type describeAccountAttributesOutput struct {
	AccountAttributes []accountAttribute `xml:"accountAttributeSet"`
}

type accountAttribute struct {
	AttributeName   string
	AttributeValues []attributeValue `xml:"attributeValueSet"`
}

type attributeValue struct {
	AttributeValue string
}

// describeAccountAttributes answers as for a new account. Errors:
// InvalidParameterValue.
func (s *service) describeAccountAttributes(_ context.Context, in *describeAccountAttributesInput) (*describeAccountAttributesOutput, error) {
	all := [][2]string{
		{"supported-platforms", "VPC"},
		{"vpc-max-security-groups-per-interface", "5"},
		{"max-elastic-ips", "508"},
		{"max-instances", "20"},
		{"vpc-max-elastic-ips", "508"},
		{"default-vpc", s.n.DefaultVPC()},
	}
	for _, name := range in.AttributeNames {
		if !slices.ContainsFunc(all, func(a [2]string) bool { return a[0] == name }) {
			return nil, invalid("Value (%.80s) for parameter attributeName is invalid.", name)
		}
	}
	out := &describeAccountAttributesOutput{}
	for _, a := range all {
		if asked(in.AttributeNames, a[0]) {
			out.AccountAttributes = append(out.AccountAttributes, accountAttribute{a[0], []attributeValue{{a[1]}}})
		}
	}
	return out, nil
}
