package ec2

import (
	"context"

	"neargate/internal/vpc"
)

type associateVpcCidrBlockInput struct {
	VpcID, CidrBlock string

	AmazonProvidedIpv6CidrBlock bool
	DryRun                      bool
}

type vpcCidrBlockOutput struct {
	VpcID                    string
	CidrBlockAssociation     *cidrAssociation
	Ipv6CidrBlockAssociation *ipv6Association
}

// associateVpcCidrBlock: codes MissingParameter, InvalidVpcID.NotFound,
// InvalidVpc.Range, InvalidVpc.Conflict, InvalidParameterValue.
func (s *service) associateVpcCidrBlock(ctx context.Context, in *associateVpcCidrBlockInput) (*vpcCidrBlockOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	if (in.CidrBlock == "") != in.AmazonProvidedIpv6CidrBlock {
		return nil, missing("cidrBlock or amazonProvidedIpv6CidrBlock")
	}
	b, err := s.n.AssociateCIDR(ctx, in.VpcID, in.CidrBlock)
	if err != nil {
		return nil, err
	}
	return s.showBlock(in.VpcID, b, "associating"), nil
}

func (s *service) showBlock(id string, b vpc.Block, at string) *vpcCidrBlockOutput {
	out := &vpcCidrBlockOutput{VpcID: id}
	if six := s.ipv6([]vpc.Block{b}); isIPv6(b.CIDR) {
		six[0].Ipv6CidrBlockState.State = at
		out.Ipv6CidrBlockAssociation = &six[0]
		return out
	}
	out.CidrBlockAssociation = &cidrAssociation{b.ID, b.CIDR, state{at}}
	return out
}

type disassociateVpcCidrBlockInput struct {
	AssociationID string
	DryRun        bool
}

// disassociateVpcCidrBlock: codes MissingParameter,
// InvalidVpcCidrBlockAssociationID.NotFound, OperationNotPermitted,
// InvalidCidrBlock.InUse.
func (s *service) disassociateVpcCidrBlock(ctx context.Context, in *disassociateVpcCidrBlockInput) (*vpcCidrBlockOutput, error) {
	if err := required("associationId", in.AssociationID); err != nil {
		return nil, err
	}
	id, b, err := s.n.DisassociateCIDR(ctx, in.AssociationID)
	if err != nil {
		return nil, err
	}
	return s.showBlock(id, b, "disassociating"), nil
}
