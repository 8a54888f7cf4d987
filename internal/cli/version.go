package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// stamped is the version that the Makefile and the release set by the linker.
var stamped string //nolint:gochecknoglobals // the linker can set nothing else

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), "neargate", version())
			return nil
		},
	}
}

// version is what was stamped, else what the go tool knew of the sources.
func version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknownVersion
	}
	return versionOf(info)
}

const unknownVersion = "(devel)"

// versionOf is the module's version, or the commit that it was built of.
func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != unknownVersion {
		return v
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return unknownVersion
	}
	v := "devel-" + revision[:min(12, len(revision))]
	if settings["vcs.modified"] == "true" {
		v += "-dirty"
	}
	return v
}
