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
	var balancer balancerLogs
	r := inside.LogRequest{Since: time.Hour}
	cmd := &cobra.Command{
		Use: "logs SERVICE|TASK | logs -f --balancer NAME", Short: "Print what the tasks of a service print, or a load balancer's logs", DisableFlagsInUseLine: true,
		Long: `Print what the containers of a service's tasks have printed, the lines of all tasks
in the order of time, each behind the first digits of its task's ID, and behind
the name of its container where the task has several. TASK is an ID, the first
digits of one, or an ARN. The lines come from CloudWatch Logs: of containers with
the log driver awslogs.

With --balancer, follow a load balancer's access log, connection log or health
check log in AWS's format, whether or not it also goes to a bucket. Lines that
come faster than they are read are left out, and their number is printed.`,
		Example: `  neargate logs web
  neargate logs -f web --filter ERROR
  neargate logs -f --balancer web
  neargate logs 4f1c2a90 --container app --since 24h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if balancer.asked() {
				if err := balancer.check(args, r.Follow); err != nil {
					return err
				}
				cfg, _, err := at.configure(cmd)
				if err != nil {
					return err
				}
				return ended(cmd.Context(), balancer.follow(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr()))
			}
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
	balancer.add(cmd)
	return cmd
}
