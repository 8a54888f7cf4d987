package ec2

import "context"

type describeSecurityGroupReferencesInput struct {
	GroupIDs []string `query:"GroupId"`
	DryRun   bool
}

type describeSecurityGroupReferencesOutput struct {
	SecurityGroupReferences []string `xml:"securityGroupReferenceSet"`
}

// describeSecurityGroupReferences: references from other accounts' VPCs, of
// which there are none. Codes MissingParameter, InvalidGroup.NotFound.
func (s *service) describeSecurityGroupReferences(_ context.Context, in *describeSecurityGroupReferencesInput) (*describeSecurityGroupReferencesOutput, error) {
	if len(in.GroupIDs) == 0 {
		return nil, missing("groupId")
	}
	for _, id := range in.GroupIDs {
		if _, err := s.n.ResolveGroup(id, "", ""); err != nil {
			return nil, err
		}
	}
	return &describeSecurityGroupReferencesOutput{}, nil
}

type describeStaleSecurityGroupsInput struct {
	VpcID  string
	DryRun bool
}

type describeStaleSecurityGroupsOutput struct {
	StaleSecurityGroups []string `xml:"staleSecurityGroupSet"`
}

// describeStaleSecurityGroups: a group goes stale with a peering connection, of
// which there are none. Codes MissingParameter, InvalidVpcID.NotFound.
func (s *service) describeStaleSecurityGroups(_ context.Context, in *describeStaleSecurityGroupsInput) (*describeStaleSecurityGroupsOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	_, err := s.n.VPC(in.VpcID)
	return &describeStaleSecurityGroupsOutput{}, err
}
