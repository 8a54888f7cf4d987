package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// readVolumes reads a definition's volumes. ClientException.
func readVolumes(in []types.Volume) ([]model.Volume, error) {
	var all []model.Volume
	for _, v := range in {
		one := model.Volume{Name: aws.ToString(v.Name)}
		if e := v.EfsVolumeConfiguration; e != nil {
			req := catalogue.EFSVolume{
				FileSystemID: aws.ToString(e.FileSystemId), RootDirectory: aws.ToString(e.RootDirectory),
				Encrypted: e.TransitEncryption == types.EFSTransitEncryptionEnabled, Port: e.TransitEncryptionPort != nil,
			}
			if a := e.AuthorizationConfig; a != nil {
				req.AccessPointID, req.IAM = aws.ToString(a.AccessPointId), a.Iam == types.EFSAuthorizationConfigIAMEnabled
			}
			var err error
			if one.EFS, err = req.Volume(); err != nil {
				return nil, err
			}
		}
		all = append(all, one)
	}
	return all, nil
}

func readMounts(c types.ContainerDefinition) (points []model.MountPoint, from []model.VolumesFrom) {
	for _, m := range c.MountPoints {
		points = append(points, model.MountPoint{
			Volume: aws.ToString(m.SourceVolume), Path: aws.ToString(m.ContainerPath), ReadOnly: aws.ToBool(m.ReadOnly),
		})
	}
	for _, f := range c.VolumesFrom {
		from = append(from, model.VolumesFrom{Container: aws.ToString(f.SourceContainer), ReadOnly: aws.ToBool(f.ReadOnly)})
	}
	return points, from
}
