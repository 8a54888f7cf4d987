package ec2

import (
	"context"
	"strings"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

func (s *service) groupOperations() []wire.Operation {
	return []wire.Operation{
		op("AuthorizeSecurityGroupEgress", s.authorizeSecurityGroupEgress),
		op("AuthorizeSecurityGroupIngress", s.authorizeSecurityGroupIngress),
		op("CreateSecurityGroup", s.createSecurityGroup),
		op("DeleteSecurityGroup", s.deleteSecurityGroup),
		op("DescribeSecurityGroupReferences", s.describeSecurityGroupReferences),
		op("DescribeSecurityGroupRules", s.describeSecurityGroupRules),
		op("DescribeSecurityGroups", s.describeSecurityGroups),
		op("DescribeStaleSecurityGroups", s.describeStaleSecurityGroups),
		op("ModifySecurityGroupRules", s.modifySecurityGroupRules),
		op("RevokeSecurityGroupEgress", s.revokeSecurityGroupEgress),
		op("RevokeSecurityGroupIngress", s.revokeSecurityGroupIngress),
		op("UpdateSecurityGroupRuleDescriptionsEgress", s.updateSecurityGroupRuleDescriptionsEgress),
		op("UpdateSecurityGroupRuleDescriptionsIngress", s.updateSecurityGroupRuleDescriptionsIngress),
	}
}

type createSecurityGroupInput struct {
	GroupName         string
	Description       string `query:"GroupDescription"`
	VpcID             string
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	DryRun            bool
}

type createSecurityGroupOutput struct {
	Return           bool
	GroupID          string
	SecurityGroupArn string
	Tags             []tag `xml:"tagSet"`
}

// createSecurityGroup makes a group that lets nothing in and all out. Codes
// MissingParameter, InvalidParameterValue, InvalidVpcID.NotFound,
// InvalidGroup.Duplicate, InvalidGroup.Reserved, SecurityGroupLimitExceeded,
// TagLimitExceeded.
func (s *service) createSecurityGroup(ctx context.Context, in *createSecurityGroupInput) (*createSecurityGroupOutput, error) {
	if err := checkGroupInput(in); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindSecurityGroup)
	if err != nil {
		return nil, err
	}
	g, err := s.n.CreateGroup(ctx, in.VpcID, in.GroupName, in.Description, tags)
	if err != nil {
		return nil, err
	}
	return &createSecurityGroupOutput{true, g.ID, s.n.ARN(vpc.KindSecurityGroup, g.ID), tagsOut(tags)}, nil
}

func checkGroupInput(in *createSecurityGroupInput) error {
	odd := func(text string) bool {
		return len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", r)
		})
	}
	switch {
	case in.GroupName == "":
		return missing("groupName")
	case in.Description == "":
		return missing("GroupDescription")
	case in.GroupName == "default":
		return model.Errorf(model.Invalid, "InvalidGroup.Reserved", "The security group name 'default' is reserved")
	case odd(in.GroupName):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", in.GroupName)
	case strings.HasPrefix(in.GroupName, "sg-"):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", in.GroupName)
	case odd(in.Description):
		return invalid("Value (%.255s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", in.Description)
	}
	return nil
}

type deleteSecurityGroupInput struct {
	GroupID, GroupName string

	DryRun bool
}

type deleteSecurityGroupOutput struct {
	Return  bool
	GroupID string
}

// deleteSecurityGroup: codes MissingParameter, InvalidGroupId.Malformed,
// InvalidGroup.NotFound, CannotDelete, DependencyViolation.
func (s *service) deleteSecurityGroup(ctx context.Context, in *deleteSecurityGroupInput) (*deleteSecurityGroupOutput, error) {
	g, err := s.n.ResolveGroup(in.GroupID, in.GroupName, "")
	if err != nil {
		return nil, err
	}
	if err := s.n.DeleteGroup(ctx, g.ID); err != nil {
		return nil, err
	}
	return &deleteSecurityGroupOutput{true, g.ID}, nil
}
