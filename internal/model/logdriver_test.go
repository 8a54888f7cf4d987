package model_test

import (
	"testing"

	"neargate/internal/model"
)

func TestStream(t *testing.T) {
	options := map[string]string{"awslogs-group": "g", "awslogs-stream-prefix": "p"}
	for _, row := range []struct {
		driver, group, stream string
		makes                 bool
	}{
		{model.LogAWS, "g", "p/app/1", false},
		{model.LogFile, "/neargate/local", "json-file/app/1", true},
		{model.LogLocal, "/neargate/local", "local/app/1", true},
		{model.LogFireLens, "", "", true},
		{model.LogNone, "", "", true},
		{"", "", "", true},
	} {
		c := model.LogConfig{Driver: row.driver, Options: options}
		group, stream, ok := c.Stream("app", "1")
		if group != row.group || stream != row.stream || ok != (row.group != "") || c.MakesGroup() != row.makes {
			t.Errorf("%s: got %q, %q, %t, made %t", row.driver, group, stream, ok, c.MakesGroup())
		}
	}
}
