package dependency_test

import (
	"strings"
	"testing"

	"neargate/internal/decide/dependency"
	"neargate/internal/model"
)

// TestCheck gives dependencies as "a: b START, c HEALTHY; b:"; a container's
// name ends with "!" when it is essential and with "+" when it has a check.
func TestCheck(t *testing.T) {
	tests := []struct{ containers, want string }{
		{"a!: b START; b: c COMPLETE; c:", ""},
		{"a!: b HEALTHY; b+:", ""},
		{"a!: b SUCCESS, c START; b: c START; c:", ""},
		{"a!: x START", "container 'a': there is no container 'x' to wait for"},
		{"a!: b READY; b:", "container 'a': the condition 'READY' is not one of"},
		{"a!: b HEALTHY; b:", "container 'a': container 'b' has no health check"},
		{"a: b SUCCESS; b!:", "container 'a': container 'b' is essential and must not end"},
		{"a!: a START", "container 'a': containers depend on each other: a, a"},
		{"a!: b START; b: a START", "container 'a': containers depend on each other: a, b, a"},
		{"a!: b START; b: c START; c: b START", "container 'a': containers depend on each other: b, c, b"},
	}
	for _, tt := range tests {
		err := dependency.Check(read(tt.containers))
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got %v, want no error", tt.containers, err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %s", tt.containers, err, tt.want)
		}
	}
}

func read(s string) []model.ContainerDefinition {
	var all []model.ContainerDefinition
	for part := range strings.SplitSeq(s, ";") {
		name, on, _ := strings.Cut(strings.TrimSpace(part), ":")
		c := model.ContainerDefinition{Essential: strings.Contains(name, "!")}
		if strings.Contains(name, "+") {
			c.HealthCheck = &model.ContainerHealthCheck{}
		}
		c.Name = strings.TrimRight(name, "!+")
		for d := range strings.SplitSeq(on, ",") {
			if container, condition, ok := strings.Cut(strings.TrimSpace(d), " "); ok {
				c.DependsOn = append(c.DependsOn, model.Dependency{Container: container, Condition: condition})
			}
		}
		all = append(all, c)
	}
	return all
}
