package cli

import (
	"runtime/debug"
	"testing"
)

func TestVersionOfABuild(t *testing.T) {
	vcs := func(revision, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	for _, row := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"a module's version", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: vcs("abc", "false")}, "v1.2.3"},
		{"a commit", debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs("0123456789abcdef", "false")}, "devel-0123456789ab"},
		{"a changed tree", debug.BuildInfo{Settings: vcs("0123456789abcdef", "true")}, "devel-0123456789ab-dirty"},
		{"nothing known", debug.BuildInfo{}, "(devel)"},
	} {
		if got := versionOf(&row.info); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}
