package volume

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func TestCheck(t *testing.T) {
	data := []model.Volume{{Name: "data"}}
	one := func(points ...model.MountPoint) []model.ContainerDefinition {
		return []model.ContainerDefinition{{Name: "app", MountPoints: points}}
	}
	takes := func(name string, from ...string) model.ContainerDefinition {
		c := model.ContainerDefinition{Name: name}
		for _, f := range from {
			c.VolumesFrom = append(c.VolumesFrom, model.VolumesFrom{Container: f})
		}
		return c
	}
	for _, row := range []struct {
		name       string
		containers []model.ContainerDefinition
		volumes    []model.Volume
		want       string
	}{
		{"in order", one(model.MountPoint{Volume: "data", Path: "/a"}, model.MountPoint{Volume: "data", Path: "/a/b/"}), data, ""},
		{"two volumes of one name", one(), []model.Volume{{Name: "data"}, {Name: "data"}}, "Volume.name should be unique within the task definition. Name: data"},
		{"a volume that is not there", one(model.MountPoint{Volume: "other", Path: "/a"}), data, "Unknown volume 'other'."},
		{"a relative path", one(model.MountPoint{Volume: "data", Path: "a"}), data, "Invalid 'containerPath' setting for container 'app': 'a'."},
		{"no path", one(model.MountPoint{Volume: "data"}), data, "Invalid 'containerPath' setting for container 'app': ''."},
		{"the root", one(model.MountPoint{Volume: "data", Path: "/a/.."}), data, "Invalid 'containerPath' setting for container 'app': '/a/..'."},
		{"one place twice", one(model.MountPoint{Volume: "data", Path: "/a"}, model.MountPoint{Volume: "data", Path: "/b/../a"}), data, "Duplicate mount point '/a' in container 'app'."},
		{"from nobody", []model.ContainerDefinition{takes("a", "b")}, nil, "Invalid 'volumesFrom' setting. Unknown container: 'b'."},
		{"from one another", []model.ContainerDefinition{takes("a", "b"), takes("b", "c"), takes("c", "b")}, nil, "Invalid 'volumesFrom' setting for container 'b': it leads back to the container."},
		{"from itself", []model.ContainerDefinition{takes("a", "a")}, nil, "Invalid 'volumesFrom' setting for container 'a': it leads back to the container."},
		{"twice from one", []model.ContainerDefinition{takes("a", "b", "c"), takes("b", "c"), takes("c")}, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Check(row.containers, row.volumes); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestOf(t *testing.T) {
	containers := []model.ContainerDefinition{
		{
			Name: "app", MountPoints: []model.MountPoint{{Volume: "logs", Path: "/var/log/app/"}, {Volume: "etc", Path: "/etc", ReadOnly: true}},
		},
		{
			Name: "sidecar", MountPoints: []model.MountPoint{{Volume: "own", Path: "/data"}},
			VolumesFrom: []model.VolumesFrom{{Container: "app", ReadOnly: true}},
		},
		{Name: "third", VolumesFrom: []model.VolumesFrom{{Container: "sidecar"}}},
	}
	declared := map[string][]string{"app": {"/data", "/var/log/app", "/"}, "third": {"/data"}}
	for name, want := range map[string][]Mount{
		"app": {
			{Container: "app", Path: "/data", Fill: true},
			{Volume: "etc", Path: "/etc", ReadOnly: true},
			{Volume: "logs", Path: "/var/log/app", Fill: true},
		},
		"sidecar": {
			{Volume: "own", Path: "/data"},
			{Volume: "etc", Path: "/etc", ReadOnly: true},
			{Volume: "logs", Path: "/var/log/app", ReadOnly: true},
		},
		"third": {
			{Volume: "own", Path: "/data"},
			{Volume: "etc", Path: "/etc", ReadOnly: true},
			{Volume: "logs", Path: "/var/log/app", ReadOnly: true},
		},
		"nobody": nil,
	} {
		if diff := cmp.Diff(want, Of(name, containers, declared)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestManyWaysToEach: the work does not grow with the number of ways to a
// container, which is beyond counting here.
func TestManyWaysToEach(t *testing.T) {
	all := make([]model.ContainerDefinition, 60)
	for i := range all {
		all[i].Name = strconv.Itoa(i)
		for j := i + 1; j < len(all); j++ {
			for range 3 {
				all[i].VolumesFrom = append(all[i].VolumesFrom, model.VolumesFrom{Container: strconv.Itoa(j)})
			}
		}
	}
	if got := Check(all, nil); got != "" {
		t.Errorf("got %q, want nothing wrong", got)
	}
	if got := Of("0", all, map[string][]string{"59": {"/data"}}); len(got) != 1 || got[0].Path != "/data" {
		t.Errorf("got %v, want the volume of the last", got)
	}
}
