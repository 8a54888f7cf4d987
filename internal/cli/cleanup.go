package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/runtime/local"
)

func cleanupCommand() *cobra.Command {
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "cleanup", Short: "End the tasks of a stopped server, and remove what they have on this machine", Args: noArgs,
		Long: `End all tasks of a data directory whose server does not run, and remove their
links, cgroups, packet filter and files. The server's state stays: the next start
makes the tasks of its services anew.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := filepath.Abs(data)
			if err != nil {
				return fmt.Errorf("data directory: %w", err)
			}
			if _, err := os.Stat(path); err != nil {
				return hinted{fmt.Errorf("no server has run with --data %s", data), "name the server's directory with --data"}
			}
			if runs, _ := app.Runs(path); runs {
				return hinted{fmt.Errorf("a server runs with --data %s", data), "stop it first"}
			}
			if err := local.Cleanup(cmd.Context(), path); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "no task of", data, "is left on this machine")
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "the server's --data directory")
	return cmd
}
