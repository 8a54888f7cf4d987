package efs

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"neargate/internal/filesystem"
	"neargate/internal/model"
)

// describeLifecycle: codes FileSystemNotFound.
func (s *service) describeLifecycle(_ context.Context, in *efs.DescribeLifecycleConfigurationInput) (*efs.DescribeLifecycleConfigurationOutput, error) {
	fs, err := s.systems.Get(aws.ToString(in.FileSystemId))
	return &efs.DescribeLifecycleConfigurationOutput{LifecyclePolicies: policiesOf(fs)}, err
}

func policiesOf(fs filesystem.FileSystem) []types.LifecyclePolicy {
	all := []types.LifecyclePolicy{}
	for _, l := range fs.Lifecycle {
		all = append(all, types.LifecyclePolicy{
			TransitionToIA: types.TransitionToIARules(l.ToIA), TransitionToArchive: types.TransitionToArchiveRules(l.ToArchive),
			TransitionToPrimaryStorageClass: types.TransitionToPrimaryStorageClassRules(l.ToPrimary),
		})
	}
	return all
}

// putLifecycle: codes FileSystemNotFound.
func (s *service) putLifecycle(ctx context.Context, in *efs.PutLifecycleConfigurationInput) (*efs.PutLifecycleConfigurationOutput, error) {
	fs, err := s.systems.Change(ctx, aws.ToString(in.FileSystemId), func(fs *filesystem.FileSystem) error {
		fs.Lifecycle = nil
		for _, p := range in.LifecyclePolicies {
			fs.Lifecycle = append(fs.Lifecycle, filesystem.Lifecycle{
				ToIA: string(p.TransitionToIA), ToPrimary: string(p.TransitionToPrimaryStorageClass), ToArchive: string(p.TransitionToArchive),
			})
		}
		return nil
	})
	return &efs.PutLifecycleConfigurationOutput{LifecyclePolicies: policiesOf(fs)}, err
}

// describeBackup: codes FileSystemNotFound.
func (s *service) describeBackup(_ context.Context, in *efs.DescribeBackupPolicyInput) (*efs.DescribeBackupPolicyOutput, error) {
	fs, err := s.systems.Get(aws.ToString(in.FileSystemId))
	return &efs.DescribeBackupPolicyOutput{BackupPolicy: &types.BackupPolicy{Status: types.Status(fs.Backup)}}, err
}

// putBackup: codes BadRequest, FileSystemNotFound.
func (s *service) putBackup(ctx context.Context, in *efs.PutBackupPolicyInput) (*efs.PutBackupPolicyOutput, error) {
	if in.BackupPolicy == nil || in.BackupPolicy.Status != types.StatusEnabled && in.BackupPolicy.Status != types.StatusDisabled {
		return nil, badRequest("The backup policy's status must be ENABLED or DISABLED.")
	}
	_, err := s.systems.Change(ctx, aws.ToString(in.FileSystemId), func(fs *filesystem.FileSystem) error {
		fs.Backup = string(in.BackupPolicy.Status)
		return nil
	})
	return &efs.PutBackupPolicyOutput{BackupPolicy: in.BackupPolicy}, err
}

// describePolicy: codes FileSystemNotFound, PolicyNotFound.
func (s *service) describePolicy(_ context.Context, in *efs.DescribeFileSystemPolicyInput) (*efs.DescribeFileSystemPolicyOutput, error) {
	fs, err := s.systems.Get(aws.ToString(in.FileSystemId))
	if err == nil && fs.Policy == "" {
		err = model.Errorf(model.NotFound, "PolicyNotFound", "No policy is associated with file system %s.", fs.ID)
	}
	return &efs.DescribeFileSystemPolicyOutput{FileSystemId: aws.String(fs.ID), Policy: aws.String(fs.Policy)}, err
}

// putPolicy: codes InvalidPolicyException, FileSystemNotFound. Policies are kept,
// not enforced.
func (s *service) putPolicy(ctx context.Context, in *efs.PutFileSystemPolicyInput) (*efs.PutFileSystemPolicyOutput, error) {
	policy := aws.ToString(in.Policy)
	if !json.Valid([]byte(policy)) {
		return nil, model.Errorf(model.Invalid, "InvalidPolicyException", "The policy is not valid JSON.")
	}
	err := s.setPolicy(ctx, in.FileSystemId, policy)
	return &efs.PutFileSystemPolicyOutput{FileSystemId: in.FileSystemId, Policy: in.Policy}, err
}

// deletePolicy: codes FileSystemNotFound.
func (s *service) deletePolicy(ctx context.Context, in *efs.DeleteFileSystemPolicyInput) (*efs.DeleteFileSystemPolicyOutput, error) {
	return &efs.DeleteFileSystemPolicyOutput{}, s.setPolicy(ctx, in.FileSystemId, "")
}

func (s *service) setPolicy(ctx context.Context, id *string, policy string) error {
	_, err := s.systems.Change(ctx, aws.ToString(id), func(fs *filesystem.FileSystem) error {
		fs.Policy = policy
		return nil
	})
	return err
}

// protect: codes FileSystemNotFound.
func (s *service) protect(ctx context.Context, in *efs.UpdateFileSystemProtectionInput) (*efs.UpdateFileSystemProtectionOutput, error) {
	_, err := s.systems.Change(ctx, aws.ToString(in.FileSystemId), func(fs *filesystem.FileSystem) error {
		fs.OverwriteDisabled = in.ReplicationOverwriteProtection == types.ReplicationOverwriteProtectionDisabled
		return nil
	})
	return &efs.UpdateFileSystemProtectionOutput{ReplicationOverwriteProtection: in.ReplicationOverwriteProtection}, err
}
