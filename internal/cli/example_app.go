package cli

import (
	"os"

	"github.com/spf13/cobra"

	"neargate/examples/app/workshop"
)

// exampleAppCommand is the workshop's app, as the demo's image runs it.
func exampleAppCommand() *cobra.Command {
	return &cobra.Command{
		Use: "example-app", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return workshop.Main(cmd.Context(), os.LookupEnv, cmd.OutOrStdout())
		},
	}
}
