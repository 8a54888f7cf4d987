package firelens_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/decide/firelens"
	"neargate/internal/model"
)

// The expected texts have the form of those that the ECS agent generates.
func TestConfig(t *testing.T) {
	for _, kind := range []string{model.FluentBit, model.Fluentd} {
		app := model.ContainerDefinition{Name: "app", Log: model.LogConfig{Driver: model.LogFireLens, Options: map[string]string{
			firelens.Output(kind): "cloudwatch", "region": "us-east-1", "log_group_name": "g", "include-pattern": "^[a-z]", "exclude-pattern": "x$",
			"log-driver-buffer-limit": "2097152",
		}, SecretOptions: []model.SecretReference{{Name: "apikey", ValueFrom: "key"}}}}
		own := model.ContainerDefinition{Name: "own", Log: model.LogConfig{Driver: model.LogFireLens}}
		for name, options := range map[string]map[string]string{
			"plain":    nil,
			"external": {model.OptionMetadata: "false", model.OptionConfigType: "s3", model.OptionConfig: "arn:aws:s3:::b/k"},
			"file":     {model.OptionMetadata: "true", model.OptionConfigType: "file", model.OptionConfig: "/extra.conf"},
		} {
			router := model.ContainerDefinition{Name: "router", FireLens: &model.FireLens{Type: kind, Options: options}}
			got := firelens.Config(firelens.Task{
				Cluster: "shop", ARN: "arn:aws:ecs:us-east-1:000000000000:task/shop/1", Definition: "web:3",
				Containers: []model.ContainerDefinition{router, app, own},
			}, router)
			file := filepath.Join("testdata", kind+"-"+name+".conf")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: %s", file, diff)
			}
		}
	}
}
