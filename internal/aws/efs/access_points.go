package efs

import (
	"cmp"
	"context"
	"path"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/filesystem"
	"neargate/internal/model"
	"neargate/internal/random"
)

// createAccessPoint: codes BadRequest, FileSystemNotFound,
// AccessPointAlreadyExists.
func (s *service) createAccessPoint(ctx context.Context, in *efs.CreateAccessPointInput) (*efs.CreateAccessPointOutput, error) {
	p, err := readAccessPoint(in)
	if err != nil {
		return nil, err
	}
	if p, err = s.systems.CreateAccessPoint(ctx, p); err != nil {
		return nil, err
	}
	d := s.accessPoint(p)
	return &efs.CreateAccessPointOutput{
		AccessPointArn: d.AccessPointArn, AccessPointId: d.AccessPointId, ClientToken: d.ClientToken, FileSystemId: d.FileSystemId,
		LifeCycleState: d.LifeCycleState, Name: d.Name, OwnerId: d.OwnerId, PosixUser: d.PosixUser, RootDirectory: d.RootDirectory, Tags: d.Tags,
	}, nil
}

func readAccessPoint(in *efs.CreateAccessPointInput) (p filesystem.AccessPoint, err error) {
	p.Token, p.FileSystem, p.Path = cmp.Or(aws.ToString(in.ClientToken), random.UUID()), aws.ToString(in.FileSystemId), "/"
	if p.Tags, err = readTags(in.Tags); err != nil {
		return p, err
	}
	if u := in.PosixUser; u != nil {
		if !isID(u.Uid) || !isID(u.Gid) || len(u.SecondaryGids) > 16 {
			return p, badRequest("A POSIX user needs a UID and a GID between 0 and 4294967295, and has at most 16 secondary groups.")
		}
		p.User = &filesystem.User{UID: *u.Uid, GID: *u.Gid, Groups: u.SecondaryGids}
	}
	if in.RootDirectory == nil {
		return p, nil
	}
	p.Path = cmp.Or(aws.ToString(in.RootDirectory.Path), "/")
	if len(p.Path) > 100 || path.Clean(p.Path) != p.Path || !path.IsAbs(p.Path) {
		return p, badRequest("The root directory's path must be absolute, have at most 100 characters and name each directory once.")
	}
	if c := in.RootDirectory.CreationInfo; c != nil {
		mode, err := strconv.ParseUint(aws.ToString(c.Permissions), 8, 32)
		if err != nil || mode > 0o1777 || !isID(c.OwnerUid) || !isID(c.OwnerGid) {
			return p, badRequest("The creation info needs an owner's UID and GID, and permissions as an octal number.")
		}
		p.Creation = &filesystem.Creation{UID: *c.OwnerUid, GID: *c.OwnerGid, Mode: uint32(mode)}
	}
	return p, nil
}

func isID(v *int64) bool { return v != nil && *v >= 0 && *v <= 1<<32-1 }

// accessPoint is an access point as AWS answers it.
func (s *service) accessPoint(p filesystem.AccessPoint) types.AccessPointDescription {
	d := types.AccessPointDescription{
		AccessPointArn: aws.String(p.ARN), AccessPointId: aws.String(p.ID), ClientToken: aws.String(p.Token), FileSystemId: aws.String(p.FileSystem),
		LifeCycleState: types.LifeCycleStateAvailable, Name: nameOf(p.Tags), OwnerId: aws.String(s.place.Account),
		RootDirectory: &types.RootDirectory{Path: aws.String(p.Path)}, Tags: tagsOf(p.Tags),
	}
	if p.User != nil {
		d.PosixUser = &types.PosixUser{Uid: aws.Int64(p.User.UID), Gid: aws.Int64(p.User.GID), SecondaryGids: p.User.Groups}
	}
	if c := p.Creation; c != nil {
		d.RootDirectory.CreationInfo = &types.CreationInfo{
			OwnerUid: aws.Int64(c.UID), OwnerGid: aws.Int64(c.GID), Permissions: aws.String(permissions(c.Mode)),
		}
	}
	return d
}

// permissions are written with a leading zero where the mode has three digits, as
// they are given.
func permissions(mode uint32) string {
	s := strconv.FormatUint(uint64(mode), 8)
	if len(s) < 4 {
		return "0" + s
	}
	return s
}

// describeAccessPoints: codes BadRequest, AccessPointNotFound, FileSystemNotFound.
func (s *service) describeAccessPoints(_ context.Context, in *efs.DescribeAccessPointsInput) (*efs.DescribeAccessPointsOutput, error) {
	var all []filesystem.AccessPoint
	switch {
	case in.AccessPointId != nil:
		p, err := s.systems.AccessPoint(*in.AccessPointId)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	case in.FileSystemId != nil:
		fs, err := s.systems.Get(*in.FileSystemId)
		if err != nil {
			return nil, err
		}
		all = s.systems.AccessPoints(fs.ID)
	default:
		all = s.systems.AccessPoints("")
	}
	page, next, ok := wire.Page(all, func(p filesystem.AccessPoint) string { return p.ID }, aws.ToString(in.NextToken), limit(in.MaxResults))
	if !ok {
		return nil, model.Errorf(model.Invalid, "ValidationException", "The nextToken is not valid.")
	}
	out := &efs.DescribeAccessPointsOutput{AccessPoints: []types.AccessPointDescription{}, NextToken: text(next)}
	for _, p := range page {
		out.AccessPoints = append(out.AccessPoints, s.accessPoint(p))
	}
	return out, nil
}

// deleteAccessPoint: codes AccessPointNotFound.
func (s *service) deleteAccessPoint(ctx context.Context, in *efs.DeleteAccessPointInput) (*efs.DeleteAccessPointOutput, error) {
	return &efs.DeleteAccessPointOutput{}, s.systems.DeleteAccessPoint(ctx, aws.ToString(in.AccessPointId))
}
