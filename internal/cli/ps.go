package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/cli/inside"
)

func psCommand() *cobra.Command {
	var at clusterFlags
	cmd := &cobra.Command{
		Use: "ps [SERVICE]", Short: "List tasks: status, health, address, and why they stopped", DisableFlagsInUseLine: true,
		Long: `List the tasks of a cluster, or of one service: status, health, address, image,
and how long they have run; after them those that stopped within the last hour,
with the reason. SERVICE is a name or an ARN. The first digits of a task's ID
name it to neargate exec and neargate logs.`,
		Example: `  neargate ps
  neargate ps web --cluster prod`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse{hinted{errors.New("name one service, or none"), "run 'neargate ps --help'"}}
			}
			cluster, err := at.open(cmd)
			if err != nil {
				return err
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			tasks, err := cluster.Tasks(cmd.Context(), name)
			if err != nil {
				return troubled(err)
			}
			return inside.PrintTasks(cmd.OutOrStdout(), tasks, time.Now())
		},
	}
	at.add(cmd)
	return cmd
}
