package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/console"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	service, cluster string
	n                int
	watch, json      bool
}

func explainCommand() *cobra.Command {
	o := explainOptions{cluster: "default", n: 10}
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "explain SERVICE", Short: "Say why a service has the count it has", DisableFlagsInUseLine: true,
		Long: `Print the last decisions on a service's desired count, oldest first, each with
its reason: when, from which count to which (or which was held, and for how
long), by which policy, and why. SERVICE is a name or an ARN.

The server keeps the last 50 decisions since it started; of the time before, the
scaling activities tell. What was answered since then though an Application Load
Balancer would have failed it comes last. The server is found through --data, or else through
AWS_ENDPOINT_URL where that is set.`,
		Example: `  neargate explain web
  neargate explain web --cluster prod -n 30
  neargate explain web --watch`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse{hinted{errors.New("name the one service to explain"), "run 'neargate explain --help'"}}
			}
			o.service = args[0]
			if o.n < 1 || o.n > console.MaxDecisions {
				return misuse{fmt.Errorf("-n %d: want 1 to %d", o.n, console.MaxDecisions)}
			}
			s, err := findServer(data, cmd.Flags().Changed("data"))
			if err != nil {
				return err
			}
			return explainService(cmd.Context(), s, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.cluster, "cluster", o.cluster, "the service's cluster")
	f.IntVarP(&o.n, "number", "n", o.n, "how many decisions")
	f.BoolVar(&o.watch, "watch", false, "go on, and print each new decision as it is made")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line")
	f.StringVar(&data, "data", data, "the server's --data directory")
	return cmd
}

// watchEvery is how often explain --watch asks: decisions come once a second.
const watchEvery = time.Second

func explainService(ctx context.Context, s server, o explainOptions, out, errOut io.Writer) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var seen time.Time // when the newest decision printed began
	for first := true; ; first = false {
		got, err := askDecisions(ctx, s, o)
		if err != nil {
			return ended(ctx, err)
		}
		if first && len(got.Decisions)+len(got.Spared) == 0 {
			fmt.Fprintf(errOut, "no decision yet on %s: the first comes a second after its tasks are measured\n", got.Service)
		}
		for _, d := range got.Decisions {
			if d.Since.After(seen) {
				if err := printDecision(out, d, o.json); err != nil {
					return err
				}
				seen = d.Since
			}
		}
		if !o.watch {
			return printSpared(out, got.Spared, o.json)
		}
		select {
		case <-ctx.Done():
			return ended(ctx, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// ended is err, unless it is only that the user has had enough.
func ended(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return nil
	}
	return err
}

func printDecision(out io.Writer, d console.Decision, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(d)
	}
	count := fmt.Sprintf("%d -> %d", d.From, d.To)
	if d.From == d.To {
		count = fmt.Sprintf("holds %d", d.To)
		if held := d.Until.Sub(d.Since).Round(time.Second); held > 0 {
			count += fmt.Sprintf(" (%v)", held)
		}
	}
	if d.Policy != "" {
		d.Reason = d.Policy + ": " + d.Reason
	}
	_, err := fmt.Fprintf(out, "%s  %-18s %s\n", d.Since.Local().Format("2006-01-02 15:04:05"), count, d.Reason)
	return err
}

// printSpared says what an ALB would have failed.
func printSpared(out io.Writer, all []console.Spared, asJSON bool) error {
	for _, x := range all {
		var err error
		if asJSON {
			err = json.NewEncoder(out).Encode(x)
		} else {
			_, err = fmt.Fprintf(out, "an ALB would have answered %d requests %d: %s\n", x.Count, x.WouldHave, x.Reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// askTimeout bounds one question to the server.
func askDecisions(ctx context.Context, s server, o explainOptions) (got console.Decisions, err error) {
	status, body, err := s.get(ctx, console.DecisionsPath, url.Values{"service": {o.service}, "cluster": {o.cluster}, "n": {strconv.Itoa(o.n)}})
	if err != nil {
		return got, err
	}
	if status == http.StatusOK && json.Unmarshal(body, &got) == nil && got.Service != "" {
		return got, nil
	}
	var fault console.Fault
	if json.Unmarshal(body, &fault) != nil || fault.Code == "" {
		return got, hinted{fmt.Errorf("what answers at %s is no neargate that can explain (%d %s)", s.endpoint, status, http.StatusText(status)), "name the server's directory with --data"}
	}
	return got, unexplained(o, fault)
}

// unexplained words a fault, with what to do about it.
func unexplained(o explainOptions, f console.Fault) error {
	switch f.Code {
	case "ClusterNotFoundException":
		return hinted{fmt.Errorf("there is no cluster %s", o.cluster), "aws ecs list-clusters shows them; --cluster names one"}
	case "ServiceNotFoundException":
		return hinted{fmt.Errorf("there is no service %s in cluster %s", o.service, o.cluster), "aws ecs list-services --cluster " + o.cluster + " shows them; --cluster names another cluster"}
	case "ObjectNotFoundException":
		return hinted{fmt.Errorf("service %s is not scaled: it is no scalable target", o.service), "aws application-autoscaling register-scalable-target makes it one"}
	}
	return errors.New(f.Message)
}
