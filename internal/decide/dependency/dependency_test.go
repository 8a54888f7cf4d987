package dependency_test

import (
	"strconv"
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
		{"a!: x START", "Cannot depend on container x because it does not exist"},
		{"a!: b READY; b:", "Dependency condition 'READY' should be one of"},
		{"a!: b HEALTHY; b:", "A dependency container with HEALTHY condition must have health check configured"},
		{"a: b SUCCESS; b!:", "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"},
		{"a!: a START", "Invalid 'dependsOn' setting for container 'a': containers depend on each other: a, a"},
		{"a!: b START; b: a START", "Invalid 'dependsOn' setting for container 'a': containers depend on each other: a, b, a"},
		{"a!: b START; b: c START; c: b START", "Invalid 'dependsOn' setting for container 'a': containers depend on each other: b, c, b"},
	}
	for _, tt := range tests {
		if got := dependency.Check(read(tt.containers)); (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.containers, got, tt.want)
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

// TestManyWaysToEach: the work does not grow with the number of ways to a
// container, which is beyond counting here.
func TestManyWaysToEach(t *testing.T) {
	all := make([]model.ContainerDefinition, 60)
	for i := range all {
		all[i] = model.ContainerDefinition{Name: strconv.Itoa(i), Essential: true}
		for j := i + 1; j < len(all); j++ {
			for range 3 {
				all[i].DependsOn = append(all[i].DependsOn, model.Dependency{Container: strconv.Itoa(j), Condition: dependency.Start})
			}
		}
	}
	if got := dependency.Check(all); got != "" {
		t.Errorf("got %q, want nothing wrong", got)
	}
}
