package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/console"
)

// topOptions are the flags of top.
type topOptions struct {
	cluster string
	every   time.Duration
	once    bool
}

func topCommand() *cobra.Command {
	o := topOptions{every: time.Second}
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "top", Short: "Show what services, tasks and containers consume", DisableFlagsInUseLine: true,
		Long: `Show, each second, the CPU, memory, network and requests of every service, its
tasks and their containers. CPU is in percent of what the task has.

The server is found through --data, or else through AWS_ENDPOINT_URL where that
is set.`,
		Example: `  neargate top
  neargate top --cluster prod
  neargate top --once`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse{hinted{errors.New("top takes no argument"), "run 'neargate top --help'"}}
			}
			if o.every < 100*time.Millisecond {
				return misuse{fmt.Errorf("--every %s: want at least 100ms", o.every)}
			}
			s, err := findServer(data, cmd.Flags().Changed("data"))
			if err != nil {
				return err
			}
			return top(cmd.Context(), s, o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.cluster, "cluster", "", "of one cluster only")
	f.DurationVar(&o.every, "every", o.every, "how long each reading lasts")
	f.BoolVar(&o.once, "once", false, "print one reading, and end")
	f.StringVar(&data, "data", data, "the server's --data directory")
	return cmd
}

// anew moves a terminal's cursor to its upper left, and clears what is below.
const anew = "\x1b[H\x1b[J"

func top(ctx context.Context, s server, o topOptions, out io.Writer) error {
	tick := time.NewTicker(o.every)
	defer tick.Stop()
	was, err := askUsage(ctx, s, o.cluster)
	if err != nil {
		return ended(ctx, err)
	}
	for {
		select {
		case <-ctx.Done():
			return ended(ctx, context.Cause(ctx))
		case <-tick.C:
		}
		now, err := askUsage(ctx, s, o.cluster)
		if err != nil {
			return ended(ctx, err)
		}
		text := usageTable(was, now)
		if !o.once && isTerminal(out) {
			text = anew + text
		}
		if _, err := io.WriteString(out, text); err != nil || o.once {
			return err
		}
		was = now
	}
}

func askUsage(ctx context.Context, s server, cluster string) (got console.Usage, err error) {
	status, body, err := s.get(ctx, console.UsagePath, url.Values{"cluster": {cluster}})
	if err != nil {
		return got, err
	}
	if status != http.StatusOK || json.Unmarshal(body, &got) != nil || got.At.IsZero() {
		return got, hinted{fmt.Errorf("what answers at %s is no neargate that measures (%d %s)", s.endpoint, status, http.StatusText(status)), "name the server's directory with --data"}
	}
	return got, nil
}
