package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

func readVolumes(in []types.Volume) []model.Volume {
	var all []model.Volume
	for _, v := range in {
		all = append(all, model.Volume{Name: aws.ToString(v.Name)})
	}
	return all
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
