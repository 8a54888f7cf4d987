// Package efs is the face of file systems: the API of Amazon EFS over package
// filesystem. It keeps nothing of its own.
package efs

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/efs"

	"neargate/internal/aws/wire"
	"neargate/internal/filesystem"
	"neargate/internal/model"
)

type service struct {
	systems *filesystem.FileSystems
	place   model.Place
}

// New returns the face of file systems.
func New(systems *filesystem.FileSystems, place model.Place) wire.Service {
	s := &service{systems, place}
	const (
		system  = "/2015-02-01/file-systems"
		one     = system + "/{FileSystemId}"
		targets = "/2015-02-01/mount-targets"
		target  = targets + "/{MountTargetId}"
		points  = "/2015-02-01/access-points"
		tags    = "/2015-02-01/resource-tags/{ResourceId}"

		get, put, post, remove = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	)
	at := func(method, path string, status int, op wire.Operation) wire.Operation {
		return wire.At(wire.Route{Method: method, Path: path, Status: status}, op)
	}
	return wire.Service{
		SigningName: "elasticfilesystem",
		Style:       wire.UpperCamel,
		Status: map[string]int{
			"FileSystemNotFound": http.StatusNotFound, "AccessPointNotFound": http.StatusNotFound, "MountTargetNotFound": http.StatusNotFound,
			"PolicyNotFound": http.StatusNotFound, "FileSystemAlreadyExists": http.StatusConflict, "AccessPointAlreadyExists": http.StatusConflict,
			"FileSystemInUse": http.StatusConflict, "MountTargetConflict": http.StatusConflict,
		},
		Refuse: wire.RefuseWith("BadRequest"),
		Refused: []wire.Setting{
			wire.Refused[efs.CreateMountTargetInput]("IpAddressType", "IPV4_ONLY"),
			wire.Refused[efs.CreateMountTargetInput]("Ipv6Address"),
		},
		Kept: kept(),
		Operations: []wire.Operation{
			at(post, system, http.StatusCreated, wire.Op("CreateFileSystem", s.createFileSystem)),
			at(get, system, 0, wire.Op("DescribeFileSystems", s.describeFileSystems)),
			at(put, one, http.StatusAccepted, wire.Op("UpdateFileSystem", s.updateFileSystem)),
			at(remove, one, http.StatusNoContent, wire.Op("DeleteFileSystem", s.deleteFileSystem)),
			at(get, one+"/lifecycle-configuration", 0, wire.Op("DescribeLifecycleConfiguration", s.describeLifecycle)),
			at(put, one+"/lifecycle-configuration", 0, wire.Op("PutLifecycleConfiguration", s.putLifecycle)),
			at(get, one+"/backup-policy", 0, wire.Op("DescribeBackupPolicy", s.describeBackup)),
			at(put, one+"/backup-policy", 0, wire.Op("PutBackupPolicy", s.putBackup)),
			at(get, one+"/policy", 0, wire.Op("DescribeFileSystemPolicy", s.describePolicy)),
			at(put, one+"/policy", 0, wire.Op("PutFileSystemPolicy", s.putPolicy)),
			at(remove, one+"/policy", 0, wire.Op("DeleteFileSystemPolicy", s.deletePolicy)),
			at(put, one+"/protection", 0, wire.Op("UpdateFileSystemProtection", s.protect)),
			at(post, targets, 0, wire.Op("CreateMountTarget", s.createMountTarget)),
			at(get, targets, 0, wire.Op("DescribeMountTargets", s.describeMountTargets)),
			at(remove, target, http.StatusNoContent, wire.Op("DeleteMountTarget", s.deleteMountTarget)),
			at(get, target+"/security-groups", 0, wire.Op("DescribeMountTargetSecurityGroups", s.describeGroups)),
			at(put, target+"/security-groups", http.StatusNoContent, wire.Op("ModifyMountTargetSecurityGroups", s.modifyGroups)),
			at(post, points, 0, wire.Op("CreateAccessPoint", s.createAccessPoint)),
			at(get, points, 0, wire.Op("DescribeAccessPoints", s.describeAccessPoints)),
			at(remove, points+"/{AccessPointId}", http.StatusNoContent, wire.Op("DeleteAccessPoint", s.deleteAccessPoint)),
			at(get, tags, 0, wire.Op("ListTagsForResource", s.listTags)),
			at(post, tags, 0, wire.Op("TagResource", s.tagResource)),
			at(remove, tags, 0, wire.Op("UntagResource", s.untagResource)),
		},
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	const local = "kept and described; the files lie on this machine"
	return []wire.Setting{
		wire.Kept[efs.PutFileSystemPolicyInput]("BypassPolicyLockoutSafetyCheck", "policies are kept, not enforced"),
		wire.Kept[efs.ListTagsForResourceInput]("MaxResults", "the answer is whole"),
		wire.Kept[efs.ListTagsForResourceInput]("NextToken", "the answer is whole"),
		wire.Kept[efs.CreateFileSystemInput]("KmsKeyId", local),
		wire.Kept[efs.CreateFileSystemInput]("Encrypted", local),
		wire.Kept[efs.CreateFileSystemInput]("PerformanceMode", local),
		wire.Kept[efs.CreateFileSystemInput]("ThroughputMode", local),
		wire.Kept[efs.CreateFileSystemInput]("ProvisionedThroughputInMibps", local),
		wire.Kept[efs.UpdateFileSystemInput]("ThroughputMode", local),
		wire.Kept[efs.UpdateFileSystemInput]("ProvisionedThroughputInMibps", local),
		wire.Kept[efs.PutLifecycleConfigurationInput]("LifecyclePolicies", "kept and described; there is one storage class"),
		wire.Kept[efs.PutBackupPolicyInput]("BackupPolicy", "kept and described; nothing is backed up"),
	}
}

func badRequest(format string, args ...any) error {
	return model.Errorf(model.Invalid, "BadRequest", format, args...)
}
