// Package volume decides which directories each container of a task mounts, and
// where: its mount points, the volumes that its image declares, and what it takes
// from other containers.
package volume

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"neargate/internal/model"
)

// Mount is a directory that a container sees.
type Mount struct {
	// Volume is the name of a volume of the task; "" is a volume that the image of
	// Container declares, for itself.
	Volume    string
	Container string
	Path      string // absolute and clean
	ReadOnly  bool
	// Fill reports whether a volume that is empty gets what the image has at Path:
	// the image declares it as a volume. [ECS, "Use bind mounts": VOLUME directive].
	Fill bool
}

// MaxDeclared is how many volumes an image may declare: each is a directory and a
// mount of every task's.
const MaxDeclared = 256

// Check returns what is wrong with the containers' mounts, in AWS's words where
// they are known; "" is nothing.
func Check(containers []model.ContainerDefinition, volumes []model.Volume) string {
	for i, v := range volumes {
		if slices.ContainsFunc(volumes[:i], func(o model.Volume) bool { return o.Name == v.Name }) {
			return fmt.Sprintf("Volume.name should be unique within the task definition. Name: %s", v.Name)
		}
	}
	for _, c := range containers {
		if wrong := checkPoints(c, volumes); wrong != "" {
			return wrong
		}
		for _, from := range c.VolumesFrom {
			if find(containers, from.Container) == nil {
				return fmt.Sprintf("Invalid 'volumesFrom' setting. Unknown container: '%s'.", from.Container)
			}
		}
		if leadsTo(containers, c.Name, c.Name, map[string]bool{}) {
			return fmt.Sprintf("Invalid 'volumesFrom' setting for container '%s': it leads back to the container.", c.Name)
		}
	}
	return ""
}

func checkPoints(c model.ContainerDefinition, volumes []model.Volume) string {
	seen := map[string]bool{}
	for _, m := range c.MountPoints {
		at := path.Clean(m.Path)
		switch {
		case !slices.ContainsFunc(volumes, func(v model.Volume) bool { return v.Name == m.Volume }):
			return fmt.Sprintf("Unknown volume '%s'.", m.Volume)
		case !path.IsAbs(m.Path) || at == "/" || strings.ContainsRune(m.Path, 0):
			return fmt.Sprintf("Invalid 'containerPath' setting for container '%s': '%s'.", c.Name, m.Path)
		case seen[at]:
			return fmt.Sprintf("Duplicate mount point '%s' in container '%s'.", at, c.Name)
		}
		seen[at] = true
	}
	return ""
}

// leadsTo reports whether what a container takes leads to another. Each container
// is followed once: there may be very many ways to it.
func leadsTo(containers []model.ContainerDefinition, name, to string, followed map[string]bool) bool {
	c := find(containers, name)
	if c == nil || followed[name] {
		return false
	}
	followed[name] = true
	return slices.ContainsFunc(c.VolumesFrom, func(from model.VolumesFrom) bool {
		return from.Container == to || leadsTo(containers, from.Container, to, followed)
	})
}

func find(containers []model.ContainerDefinition, name string) *model.ContainerDefinition {
	i := slices.IndexFunc(containers, func(c model.ContainerDefinition) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &containers[i]
}

// Of returns what a container mounts, in the order in which it must be mounted.
// declared are the volumes of each container's image. The containers have passed
// Check.
func Of(name string, containers []model.ContainerDefinition, declared map[string][]string) []Mount {
	return mounts{containers, declared, map[string][]Mount{}}.of(name)
}

// mounts works out what containers mount, each once.
type mounts struct {
	containers []model.ContainerDefinition
	declared   map[string][]string
	known      map[string][]Mount
}

func (w mounts) of(name string) []Mount {
	c := find(w.containers, name)
	if c == nil {
		return nil
	}
	if done, ok := w.known[name]; ok {
		return done
	}
	all := map[string]Mount{}
	for _, m := range c.MountPoints {
		at := path.Clean(m.Path)
		all[at] = Mount{Volume: m.Volume, Path: at, ReadOnly: m.ReadOnly}
	}
	for _, p := range w.declared[name] {
		at := path.Clean("/" + p)
		m, mounted := all[at]
		if !mounted {
			m = Mount{Container: name, Path: at}
		}
		if m.Fill = true; at != "/" {
			all[at] = m
		}
	}
	for _, from := range c.VolumesFrom {
		for _, m := range w.of(from.Container) {
			if own, there := all[m.Path]; there && own.Container == "" {
				continue
			}
			m.Fill, m.ReadOnly = false, m.ReadOnly || from.ReadOnly
			all[m.Path] = m
		}
	}
	w.known[name] = sorted(all)
	return w.known[name]
}

// sorted puts directories before those below them.
func sorted(all map[string]Mount) []Mount {
	var out []Mount
	for _, m := range all {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Mount) int {
		return cmp.Or(cmp.Compare(strings.Count(a.Path, "/"), strings.Count(b.Path, "/")), cmp.Compare(a.Path, b.Path))
	})
	return out
}
