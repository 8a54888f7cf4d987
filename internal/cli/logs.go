package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/cli/inside"
)

func logsCommand() *cobra.Command {
	var at clusterFlags
	r := inside.LogRequest{Since: time.Hour}
	cmd := &cobra.Command{
		Use: "logs SERVICE|TASK", Short: "Print what the tasks of a service print", DisableFlagsInUseLine: true,
		Long: `Print what the containers of a service's tasks have printed, the lines of all tasks
in the order of time, each behind the first digits of its task's ID, and behind
the name of its container where the task has several. TASK is an ID, the first
digits of one, or an ARN. The lines come from CloudWatch Logs: of containers with
the log driver awslogs.`,
		Example: `  neargate logs web
  neargate logs -f web --filter ERROR
  neargate logs 4f1c2a90 --container app --since 24h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse{hinted{errors.New("name one service or task"), "run 'neargate logs --help'"}}
			}
			if r.Since <= 0 {
				return misuse{fmt.Errorf("--since %v: want more than 0", r.Since)}
			}
			r.Target = args[0]
			cluster, err := at.open(cmd)
			if err != nil {
				return err
			}
			n, err := cluster.PrintLogs(cmd.Context(), r, cmd.OutOrStdout())
			if err == nil && n == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "no lines within %v: --since 24h looks further back\n", r.Since)
			}
			return ended(cmd.Context(), troubled(err))
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&r.Follow, "follow", "f", false, "go on, and print each new line as it comes")
	f.DurationVar(&r.Since, "since", r.Since, "how far back to begin")
	f.StringVar(&r.Container, "container", "", "only this container")
	f.StringVar(&r.Filter, "filter", "", "only lines that match a filter pattern of CloudWatch Logs")
	f.BoolVarP(&r.Times, "timestamps", "t", false, "print when each line was written")
	at.add(cmd)
	return cmd
}
