package ecs

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// fullDefinition is a request in which every text that a definition can have is
// set.
func fullDefinition() RegisterTaskDefinitionRequest {
	return RegisterTaskDefinitionRequest{
		Family: "full", CPU: "256", Memory: "512", NetworkMode: "awsvpc", Compatibilities: []string{"FARGATE"}, CPUArchitecture: "X86_64", OSFamily: "LINUX",
		TaskRoleARN: "task", ExecutionRoleARN: "execution", PIDMode: "task",
		Volumes: []model.Volume{{Name: "v", EFS: &model.EFSVolume{FileSystemID: "fs-01234567", RootDirectory: "/x"}}},
		Tags:    []model.Tag{{Key: "k", Value: "v"}},
		Containers: []model.ContainerDefinition{
			{
				Name: "app", Image: "web:1", RegistrySecret: "credential", Essential: true, EntryPoint: []string{"/bin/app"}, Command: []string{"serve"},
				Environment: []model.KeyValue{{Name: "A", Value: "1"}}, EnvironmentFiles: []string{"arn:aws:s3:::bucket/a.env"},
				Secrets: []model.SecretReference{{Name: "B", ValueFrom: "secret"}}, WorkingDir: "/srv", User: "app",
				PortMappings:    []model.PortMapping{{Name: "http", ContainerPort: 80, Protocol: "tcp", AppProtocol: "http"}},
				AddCapabilities: []string{"SYS_PTRACE"}, DropCapabilities: []string{"KILL"}, DockerLabels: map[string]string{"team": "shop"},
				MountPoints: []model.MountPoint{{Volume: "v", Path: "/data"}}, Ulimits: []model.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}},
				SystemControls: []model.KeyValue{{Name: "net.core.somaxconn", Value: "128"}},
				Log: model.LogConfig{
					Driver: model.LogFireLens, Options: map[string]string{"Name": "stdout"},
					SecretOptions: []model.SecretReference{{Name: "key", ValueFrom: "secret"}},
				},
				DependsOn: []model.Dependency{{Container: "router", Condition: "START"}},
				HealthCheck: &model.ContainerHealthCheck{
					Command: []string{"CMD", "/bin/check"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 1,
				},
			},
			{
				Name: "router", Image: "router:1",
				VolumesFrom: []model.VolumesFrom{{Container: "app"}},
				FireLens:    &model.FireLens{Type: model.FluentBit, Options: map[string]string{model.OptionMetadata: "true"}},
			},
		},
	}
}

// eachText calls visit for each text below v, with a function that sets it.
func eachText(path string, v reflect.Value, visit func(path, text string, set func(string))) {
	switch v.Kind() {
	case reflect.String:
		visit(path, v.String(), v.SetString)
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(path, v.Elem(), visit)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				eachText(path, v.Index(i), visit)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachText(path+"."+v.Type().Field(i).Name, v.Field(i), visit)
		}
	case reflect.Map:
		m := v.Interface().(map[string]string) //nolint:forcetypeassert // there are no others
		for _, key := range slices.Collect(maps.Keys(m)) {
			visit(path+" key", key, func(s string) { m[s] = m[key]; delete(m, key) })
			visit(path+" value", m[key], func(s string) { m[key] = s })
		}
	default:
	}
}

// No text of a definition may have a NUL: no program could be given it, and the
// task would fail when it starts. Each is tried alone.
func TestNoTextOfADefinitionHasANUL(t *testing.T) {
	r := newRig(t)
	whole := fullDefinition()
	if _, err := r.RegisterTaskDefinition(t.Context(), whole); err != nil {
		t.Fatalf("without a NUL: %v", err)
	}
	count := 0
	eachText("", reflect.ValueOf(&whole), func(path, text string, _ func(string)) {
		if count++; text == "" && path != ".RegisteredBy" && !slices.Contains(unset(), path) {
			t.Errorf("%s is not set: set it in fullDefinition", path)
		}
	})
	for i := range count {
		at, n, changed := "", -1, fullDefinition()
		eachText("", reflect.ValueOf(&changed), func(path, text string, set func(string)) {
			if n++; n == i {
				at = path
				set(text + "\x00")
			}
		})
		if at == ".RegisteredBy" || strings.HasPrefix(at, ".Volumes.EFS.") { // not the caller's; refused by EFSVolume.Volume
			continue
		}
		if _, err := r.RegisterTaskDefinition(t.Context(), changed); model.KindOf(err) != model.Invalid {
			t.Errorf("%s with a NUL: %v, want it refused", at, err)
		}
	}
}

// unset are texts that exclude others in fullDefinition.
func unset() []string {
	router := ".Containers"
	return []string{
		router + ".RegistrySecret", router + ".WorkingDir", router + ".User", router + ".Log.Driver", ".Volumes.EFS.AccessPointID",
	}
}

// Names of variables, secrets and options are names: not empty, without control
// characters and "=".
func TestNamesOfADefinition(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(c *model.ContainerDefinition, name string){
		"environment":   func(c *model.ContainerDefinition, name string) { c.Environment[0].Name = name },
		"secret":        func(c *model.ContainerDefinition, name string) { c.Secrets[0].Name = name },
		"secret option": func(c *model.ContainerDefinition, name string) { c.Log.SecretOptions[0].Name = name },
	} {
		for _, bad := range []string{"", "A\nB", "A\x00", "A\x7f", "A\u0085"} {
			def := fullDefinition()
			change(&def.Containers[0], bad)
			if _, err := r.RegisterTaskDefinition(t.Context(), def); code(err) != "ClientException" {
				t.Errorf("%s %q: %v, want it refused", name, bad, err)
			}
		}
	}
	for _, change := range []func(*model.ContainerDefinition){
		func(c *model.ContainerDefinition) { c.Environment[0].Name = "A=B" },
		func(c *model.ContainerDefinition) { c.Secrets[0].Name = "A=B" },
	} {
		def := fullDefinition()
		change(&def.Containers[0])
		if _, err := r.RegisterTaskDefinition(t.Context(), def); code(err) != "ClientException" {
			t.Errorf("a name with an equals sign: %v, want it refused", err)
		}
	}
}
