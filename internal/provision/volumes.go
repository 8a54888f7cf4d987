package provision

import "neargate/internal/model"

// fileSystems are where EFS volumes lie.
type fileSystems interface {
	// Mount returns where a volume lies. ResourceInitializationError.
	Mount(v model.EFSVolume) (model.SharedDirectory, error)
}

// mount finds a task's volumes that lie in file systems.
func (p *Provisioner) mount(volumes []model.Volume) error {
	for i, v := range volumes {
		if v.EFS == nil {
			continue
		}
		shared, err := p.systems.Mount(*v.EFS)
		if err != nil {
			return err
		}
		volumes[i].Shared = &shared
	}
	return nil
}
