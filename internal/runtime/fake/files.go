package fake

import (
	"strings"

	"neargate/internal/decide/volume"
	"neargate/internal/model"
)

// useFiles has a container read or write its file, if it is to.
func (t *entry) useFiles(i int) {
	p := &t.plans[i]
	switch {
	case p.write != "":
		key, readonly := t.fileOf(i, p.write)
		if readonly {
			p.code = 1
			return
		}
		t.files[key] = p.text
	case p.read != "":
		key, _ := t.fileOf(i, p.read)
		text, there := t.files[key]
		if !there {
			p.code = 1
			return
		}
		p.lines = []string{text}
	}
}

// fileOf returns what a container's file is known by: its volume and its path in
// there, or the container and the path.
func (t *entry) fileOf(i int, path string) (key string, readonly bool) {
	var containers []model.ContainerDefinition
	for _, c := range t.spec.Containers {
		containers = append(containers, c.ContainerDefinition)
	}
	name := containers[i].Name
	key = "container " + name + ":" + path
	for _, m := range volume.Of(name, containers, nil) { // the innermost comes last
		if rest, below := strings.CutPrefix(path, m.Path+"/"); below {
			key, readonly = "volume "+m.Volume+":"+rest, m.ReadOnly
		}
	}
	return key, readonly
}
