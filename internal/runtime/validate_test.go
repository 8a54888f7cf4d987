package runtime

import (
	"strings"
	"testing"

	"neargate/internal/model"
)

func spec() model.TaskSpec {
	return model.TaskSpec{ID: "a", CPUUnits: 256, MemoryMiB: 512, Containers: []model.ContainerSpec{container("app")}}
}

func container(name string) model.ContainerSpec {
	return model.ContainerSpec{ContainerDefinition: model.ContainerDefinition{Name: name, Image: "web"}}
}

func TestValidate(t *testing.T) {
	two := func(a, b []model.Dependency) model.TaskSpec {
		s := spec()
		s.Containers = append(s.Containers, container("other"))
		s.Containers[0].DependsOn, s.Containers[1].DependsOn = a, b
		return s
	}
	on := func(name string) []model.Dependency {
		return []model.Dependency{{Container: name, Condition: "START"}}
	}
	with := func(change func(*model.TaskSpec)) model.TaskSpec {
		s := spec()
		change(&s)
		return s
	}
	for _, row := range []struct {
		name string
		spec model.TaskSpec
		want string // part of the error; "" for none
	}{
		{"plain", spec(), ""},
		{"one depends on the other", two(nil, on("app")), ""},
		{"both depend on each other", two(on("other"), on("app")), "depend on each other"},
		{"depends on itself", two(on("app"), nil), "depend on each other"},
		{"depends on nobody", two(on("third"), nil), "Cannot depend on container third because it does not exist"},
		{"an unknown condition", two([]model.Dependency{{Container: "other", Condition: "SOON"}}, nil), "Dependency condition 'SOON' should be one of"},
		{"no containers", with(func(s *model.TaskSpec) { s.Containers = nil }), "no containers"},
		{"an ID that leads elsewhere", with(func(s *model.TaskSpec) { s.ID = "../x" }), `"../x" is not valid`},
		{"a name that leads elsewhere", with(func(s *model.TaskSpec) { s.Containers[0].Name = "a/b" }), `"a/b" is not valid`},
		{"no CPU", with(func(s *model.TaskSpec) { s.CPUUnits = 0 }), "needs CPU"},
	} {
		err := Validate(row.spec)
		if (err == nil) != (row.want == "") || (err != nil && !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
}
