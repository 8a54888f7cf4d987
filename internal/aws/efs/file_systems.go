package efs

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/filesystem"
	"neargate/internal/random"
)

// createFileSystem: codes BadRequest, FileSystemAlreadyExists.
func (s *service) createFileSystem(ctx context.Context, in *efs.CreateFileSystemInput) (*efs.CreateFileSystemOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if in.ThroughputMode == types.ThroughputModeProvisioned && in.ProvisionedThroughputInMibps == nil {
		return nil, badRequest("Provisioned throughput in MiB/s must be specified for the throughput mode provisioned.")
	}
	fs := filesystem.FileSystem{
		Token: cmp.Or(aws.ToString(in.CreationToken), random.UUID()), Encrypted: aws.ToBool(in.Encrypted), KMSKeyID: aws.ToString(in.KmsKeyId),
		PerformanceMode:  cmp.Or(string(in.PerformanceMode), string(types.PerformanceModeGeneralPurpose)),
		ThroughputMode:   cmp.Or(string(in.ThroughputMode), string(types.ThroughputModeBursting)),
		ProvisionedMiBps: aws.ToFloat64(in.ProvisionedThroughputInMibps), Zone: aws.ToString(in.AvailabilityZoneName), Tags: tags,
		Backup: string(types.StatusDisabled),
	}
	if aws.ToBool(in.Backup) || in.Backup == nil && fs.Zone != "" { // [API_CreateFileSystem, Backup]
		fs.Backup = string(types.StatusEnabled)
	}
	if fs, err = s.systems.Create(ctx, fs); err != nil {
		return nil, err
	}
	d := s.describe(fs)
	return &efs.CreateFileSystemOutput{
		CreationTime: d.CreationTime, CreationToken: d.CreationToken, FileSystemId: d.FileSystemId, LifeCycleState: d.LifeCycleState,
		NumberOfMountTargets: d.NumberOfMountTargets, OwnerId: d.OwnerId, PerformanceMode: d.PerformanceMode, SizeInBytes: d.SizeInBytes,
		Tags: d.Tags, AvailabilityZoneName: d.AvailabilityZoneName, Encrypted: d.Encrypted, FileSystemArn: d.FileSystemArn,
		FileSystemProtection: d.FileSystemProtection, KmsKeyId: d.KmsKeyId, Name: d.Name,
		ProvisionedThroughputInMibps: d.ProvisionedThroughputInMibps, ThroughputMode: d.ThroughputMode,
	}, nil
}

// describe is a file system as AWS answers it.
func (s *service) describe(fs filesystem.FileSystem) types.FileSystemDescription {
	bytes, at := s.systems.Size(fs.ID, time.Now().Unix())
	protection := types.ReplicationOverwriteProtectionEnabled
	if fs.OverwriteDisabled {
		protection = types.ReplicationOverwriteProtectionDisabled
	}
	d := types.FileSystemDescription{
		CreationTime: aws.Time(fs.CreatedAt), CreationToken: aws.String(fs.Token), FileSystemId: aws.String(fs.ID), FileSystemArn: aws.String(fs.ARN),
		LifeCycleState: types.LifeCycleStateAvailable, NumberOfMountTargets: int32(len(s.systems.MountTargets(fs.ID))), OwnerId: aws.String(s.place.Account),
		PerformanceMode: types.PerformanceMode(fs.PerformanceMode), ThroughputMode: types.ThroughputMode(fs.ThroughputMode),
		SizeInBytes: &types.FileSystemSize{
			Value: bytes, Timestamp: aws.Time(time.Unix(at, 0)), ValueInStandard: aws.Int64(bytes), ValueInIA: aws.Int64(0), ValueInArchive: aws.Int64(0),
		},
		Tags: tagsOf(fs.Tags), Name: nameOf(fs.Tags), Encrypted: aws.Bool(fs.Encrypted), KmsKeyId: text(fs.KMSKeyID), AvailabilityZoneName: text(fs.Zone),
		FileSystemProtection: &types.FileSystemProtectionDescription{ReplicationOverwriteProtection: protection},
	}
	if fs.ThroughputMode == string(types.ThroughputModeProvisioned) {
		d.ProvisionedThroughputInMibps = aws.Float64(fs.ProvisionedMiBps)
	}
	return d
}

// describeFileSystems: codes BadRequest, FileSystemNotFound.
func (s *service) describeFileSystems(_ context.Context, in *efs.DescribeFileSystemsInput) (*efs.DescribeFileSystemsOutput, error) {
	all := s.systems.List()
	if in.FileSystemId != nil {
		fs, err := s.systems.Get(*in.FileSystemId)
		if err != nil {
			return nil, err
		}
		all = []filesystem.FileSystem{fs}
	}
	page, next, ok := wire.Page(all, func(fs filesystem.FileSystem) string { return fs.ID }, aws.ToString(in.Marker), limit(in.MaxItems))
	if !ok {
		return nil, badRequest("The marker is not valid.")
	}
	out := &efs.DescribeFileSystemsOutput{FileSystems: []types.FileSystemDescription{}, Marker: in.Marker, NextMarker: text(next)}
	for _, fs := range page {
		if in.CreationToken == nil || *in.CreationToken == fs.Token {
			out.FileSystems = append(out.FileSystems, s.describe(fs))
		}
	}
	return out, nil
}

// updateFileSystem: codes FileSystemNotFound.
func (s *service) updateFileSystem(ctx context.Context, in *efs.UpdateFileSystemInput) (*efs.UpdateFileSystemOutput, error) {
	fs, err := s.systems.Change(ctx, aws.ToString(in.FileSystemId), func(fs *filesystem.FileSystem) error {
		fs.ThroughputMode = cmp.Or(string(in.ThroughputMode), fs.ThroughputMode)
		fs.ProvisionedMiBps = cmp.Or(aws.ToFloat64(in.ProvisionedThroughputInMibps), fs.ProvisionedMiBps)
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := s.describe(fs)
	return &efs.UpdateFileSystemOutput{
		CreationTime: d.CreationTime, CreationToken: d.CreationToken, FileSystemId: d.FileSystemId, LifeCycleState: d.LifeCycleState,
		NumberOfMountTargets: d.NumberOfMountTargets, OwnerId: d.OwnerId, PerformanceMode: d.PerformanceMode, SizeInBytes: d.SizeInBytes,
		Tags: d.Tags, AvailabilityZoneName: d.AvailabilityZoneName, Encrypted: d.Encrypted, FileSystemArn: d.FileSystemArn,
		FileSystemProtection: d.FileSystemProtection, KmsKeyId: d.KmsKeyId, Name: d.Name,
		ProvisionedThroughputInMibps: d.ProvisionedThroughputInMibps, ThroughputMode: d.ThroughputMode,
	}, nil
}

// deleteFileSystem: codes FileSystemNotFound, FileSystemInUse.
func (s *service) deleteFileSystem(ctx context.Context, in *efs.DeleteFileSystemInput) (*efs.DeleteFileSystemOutput, error) {
	return &efs.DeleteFileSystemOutput{}, s.systems.Delete(ctx, aws.ToString(in.FileSystemId))
}

// limit is how many a page has.
func limit(asked *int32) int {
	const most = 100
	if asked == nil || *asked <= 0 {
		return most
	}
	return min(int(*asked), most)
}

// text is nil for "", as AWS leaves empty members out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
