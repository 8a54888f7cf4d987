package local

import (
	"neargate/internal/decide/volume"
	"neargate/internal/model"
	"neargate/internal/runtime/local/supervisor"
)

// routerDir is where the socket of a task's log router lies: the first of the
// task's directories.
func routerDir(taskDir string) string { return supervisor.VolumeDir(taskDir, 0) }

// orderMounts returns what each container of a task mounts. The task's volumes
// come first among the directories of its own, then those that images declare.
func orderMounts(dir string, spec model.TaskSpec, images []Rootfs) [][]supervisor.Mount {
	places := map[[2]string]string{} // directories by volume, or by container and path
	place := func(key [2]string) string {
		if places[key] == "" {
			places[key] = supervisor.VolumeDir(dir, len(places))
		}
		return places[key]
	}
	if spec.Router != nil {
		place([2]string{"", "router"})
	}
	shared := map[string]*supervisor.Shared{}
	for _, v := range spec.Volumes {
		place([2]string{v.Name})
		if v.Shared != nil {
			shared[v.Name] = &supervisor.Shared{Base: v.Shared.Base, Path: v.Shared.Path, User: (*supervisor.User)(v.Shared.User)}
		}
	}
	var containers []model.ContainerDefinition
	declared := map[string][]string{}
	for i, c := range spec.Containers {
		containers = append(containers, c.ContainerDefinition)
		declared[c.Name] = images[i].Config.Volumes
	}
	var all [][]supervisor.Mount
	for _, c := range containers {
		var mounts []supervisor.Mount
		if r := spec.Router; r != nil && r.Container == c.Name {
			mounts = append(mounts, supervisor.Mount{Source: routerDir(dir), Path: r.SocketDir})
		}
		for _, m := range volume.Of(c.Name, containers, declared) {
			key := [2]string{m.Volume}
			if m.Volume == "" {
				key = [2]string{m.Container + "/", m.Path}
			}
			one := supervisor.Mount{Source: place(key), Path: m.Path, ReadOnly: m.ReadOnly, Fill: m.Fill, Shared: shared[m.Volume]}
			if one.Shared != nil { // each container has users of its own
				one.Source, one.Fill = supervisor.SharedDir(dir, c.Name, len(mounts)), false
			}
			mounts = append(mounts, one)
		}
		all = append(all, mounts)
	}
	return all
}
