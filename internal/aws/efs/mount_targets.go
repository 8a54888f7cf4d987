package efs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/filesystem"
)

// createMountTarget: codes FileSystemNotFound, SubnetNotFound,
// SecurityGroupNotFound, MountTargetConflict.
func (s *service) createMountTarget(ctx context.Context, in *efs.CreateMountTargetInput) (*efs.CreateMountTargetOutput, error) {
	t, err := s.systems.CreateMountTarget(ctx, filesystem.MountTarget{
		FileSystem: aws.ToString(in.FileSystemId), Subnet: aws.ToString(in.SubnetId), IP: aws.ToString(in.IpAddress), Groups: in.SecurityGroups,
	})
	if err != nil {
		return nil, err
	}
	d := s.mountTarget(t)
	return &efs.CreateMountTargetOutput{
		FileSystemId: d.FileSystemId, LifeCycleState: d.LifeCycleState, MountTargetId: d.MountTargetId, SubnetId: d.SubnetId,
		AvailabilityZoneName: d.AvailabilityZoneName, IpAddress: d.IpAddress, NetworkInterfaceId: d.NetworkInterfaceId, OwnerId: d.OwnerId, VpcId: d.VpcId,
	}, nil
}

// mountTarget is a mount target as AWS answers it; no address is used up for one.
func (s *service) mountTarget(t filesystem.MountTarget) types.MountTargetDescription {
	return types.MountTargetDescription{
		FileSystemId: aws.String(t.FileSystem), LifeCycleState: types.LifeCycleStateAvailable, MountTargetId: aws.String(t.ID), SubnetId: aws.String(t.Subnet),
		AvailabilityZoneName: text(t.Zone), IpAddress: text(t.IP), NetworkInterfaceId: aws.String(t.Interface), OwnerId: aws.String(s.place.Account), VpcId: text(t.VPC),
	}
}

// describeMountTargets: codes BadRequest, FileSystemNotFound, MountTargetNotFound,
// AccessPointNotFound.
func (s *service) describeMountTargets(_ context.Context, in *efs.DescribeMountTargetsInput) (*efs.DescribeMountTargetsOutput, error) {
	all, err := s.mountTargets(in)
	if err != nil {
		return nil, err
	}
	page, next, ok := wire.Page(all, func(t filesystem.MountTarget) string { return t.ID }, aws.ToString(in.Marker), limit(in.MaxItems))
	if !ok {
		return nil, badRequest("The marker is not valid.")
	}
	out := &efs.DescribeMountTargetsOutput{MountTargets: []types.MountTargetDescription{}, Marker: in.Marker, NextMarker: text(next)}
	for _, t := range page {
		out.MountTargets = append(out.MountTargets, s.mountTarget(t))
	}
	return out, nil
}

func (s *service) mountTargets(in *efs.DescribeMountTargetsInput) ([]filesystem.MountTarget, error) {
	switch {
	case in.MountTargetId != nil:
		t, err := s.systems.MountTarget(*in.MountTargetId)
		return []filesystem.MountTarget{t}, err
	case in.FileSystemId != nil:
		fs, err := s.systems.Get(*in.FileSystemId)
		return s.systems.MountTargets(fs.ID), err
	case in.AccessPointId != nil:
		p, err := s.systems.AccessPoint(*in.AccessPointId)
		return s.systems.MountTargets(p.FileSystem), err
	}
	return nil, badRequest("One of FileSystemId, MountTargetId and AccessPointId must be given.")
}

// deleteMountTarget: codes MountTargetNotFound.
func (s *service) deleteMountTarget(ctx context.Context, in *efs.DeleteMountTargetInput) (*efs.DeleteMountTargetOutput, error) {
	return &efs.DeleteMountTargetOutput{}, s.systems.DeleteMountTarget(ctx, aws.ToString(in.MountTargetId))
}

// describeGroups: codes MountTargetNotFound.
func (s *service) describeGroups(_ context.Context, in *efs.DescribeMountTargetSecurityGroupsInput) (*efs.DescribeMountTargetSecurityGroupsOutput, error) {
	t, err := s.systems.MountTarget(aws.ToString(in.MountTargetId))
	return &efs.DescribeMountTargetSecurityGroupsOutput{SecurityGroups: append([]string{}, t.Groups...)}, err
}

// modifyGroups: codes MountTargetNotFound, SecurityGroupNotFound.
func (s *service) modifyGroups(ctx context.Context, in *efs.ModifyMountTargetSecurityGroupsInput) (*efs.ModifyMountTargetSecurityGroupsOutput, error) {
	return &efs.ModifyMountTargetSecurityGroupsOutput{}, s.systems.SetGroups(ctx, aws.ToString(in.MountTargetId), in.SecurityGroups)
}
