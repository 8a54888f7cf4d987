package ecs

import (
	"path"
	"strings"

	"neargate/internal/decide/volume"
	"neargate/internal/model"
)

// checkVolumes refuses volumes, and mounts of them, that Fargate would.
// ClientException.
func checkVolumes(def model.TaskDefinition) error {
	for _, v := range def.Volumes {
		if !validName(v.Name) {
			return client("Volume.name contains invalid characters or is not between 1 and 255 characters long.")
		}
	}
	if wrong := volume.Check(def.Containers, def.Volumes); wrong != "" {
		return client("%s", wrong)
	}
	return nil
}

// EFSVolume is what a definition says of an EFS volume.
type EFSVolume struct {
	FileSystemID, AccessPointID, RootDirectory string
	Encrypted, Port, IAM                       bool // transitEncryption, transitEncryptionPort, iam
}

// Volume returns the volume. Whether there are such a file system and access point
// shows when a task starts, as on AWS. ClientException.
func (e EFSVolume) Volume() (*model.EFSVolume, error) {
	switch {
	case !efsID(e.FileSystemID, "fs-"):
		return nil, client("Invalid 'fileSystemId' setting for an EFS volume: '%s'.", e.FileSystemID)
	case e.AccessPointID != "" && !efsID(e.AccessPointID, "fsap-"):
		return nil, client("Invalid 'accessPointId' setting for an EFS volume: '%s'.", e.AccessPointID)
	case e.Port && !e.Encrypted:
		return nil, client("TransitEncryptionPort requires that TransitEncryption is enabled.")
	case e.IAM && !e.Encrypted:
		return nil, client("EFS IAM authorization requires TransitEncryption to be enabled.")
	case e.AccessPointID != "" && !e.Encrypted:
		return nil, client("EFS access points require TransitEncryption to be enabled.")
	case e.AccessPointID != "" && e.RootDirectory != "" && e.RootDirectory != "/":
		return nil, client(`When using an EFS access point, the root directory must either be set to "/" or be omitted.`)
	case e.RootDirectory != "" && (!path.IsAbs(e.RootDirectory) || strings.ContainsRune(e.RootDirectory, 0)):
		return nil, client("Invalid 'rootDirectory' setting for an EFS volume: '%s'.", e.RootDirectory)
	}
	return &model.EFSVolume{FileSystemID: e.FileSystemID, AccessPointID: e.AccessPointID, RootDirectory: e.RootDirectory}, nil
}

func efsID(id, prefix string) bool {
	digits, ok := strings.CutPrefix(id, prefix)
	return ok && (len(digits) == 8 || len(digits) == 17) && strings.Trim(digits, "0123456789abcdef") == ""
}
