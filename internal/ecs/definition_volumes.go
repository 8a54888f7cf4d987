package ecs

import (
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
