package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/spf13/cobra"

	"neargate/internal/console"
)

// balancerLogs are the flags of logs about a load balancer.
type balancerLogs struct {
	name                      string
	connections, healthChecks bool
}

// add adds the flags. They count only with --balancer.
func (o *balancerLogs) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.name, "balancer", "", "follow the access log of this load balancer instead")
	f.BoolVar(&o.connections, "connections", false, "with --balancer: its connection log")
	f.BoolVar(&o.healthChecks, "health-checks", false, "with --balancer: its health check log")
}

// asked reports whether a load balancer's log is wanted.
func (o *balancerLogs) asked() bool { return o.name != "" || o.connections || o.healthChecks }

// check returns what is wrong with the flags.
func (o *balancerLogs) check(args []string, follow bool) error {
	switch {
	case o.name == "":
		return misuse{hinted{errors.New("--connections and --health-checks are of a load balancer"), "name it with --balancer"}}
	case len(args) > 0:
		return misuse{fmt.Errorf("--balancer %s and %s: name one of them", o.name, args[0])}
	case o.connections && o.healthChecks:
		return misuse{errors.New("--connections and --health-checks are two logs: ask for one")}
	case !follow:
		return misuse{hinted{errors.New("what was logged before is in the bucket of the load balancer's attributes, if it has one"), "-f prints the lines from now on"}}
	}
	return nil
}

func (o *balancerLogs) kind() string {
	switch {
	case o.connections:
		return "connections"
	case o.healthChecks:
		return "health-checks"
	}
	return "access"
}

// nothing is the hash of an empty body.
const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// follow prints the lines of the log as they come.
func (o *balancerLogs) follow(ctx context.Context, cfg aws.Config, out, errOut io.Writer) error {
	at := *cfg.BaseEndpoint + console.LogsPath + "?" + url.Values{"balancer": {o.name}, "log": {o.kind()}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", *cfg.BaseEndpoint, err)
	}
	key, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	if err := v4.NewSigner().SignHTTP(ctx, key, req, nothing, console.LogsService, cfg.Region, time.Now()); err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	resp, err := cfg.HTTPClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return hinted{fmt.Errorf("no server answers at %s", *cfg.BaseEndpoint), "start one: neargate serve; eval \"$(neargate env)\" says where it is"}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return o.refused(resp)
	}
	return printLines(ctx, resp.Body, out, errOut)
}

// refused is why the server shows no log.
func (o *balancerLogs) refused(resp *http.Response) error {
	var fault console.Fault
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&fault) != nil || fault.Code == "" {
		return hinted{fmt.Errorf("what answers is no neargate that shows logs (%d %s)", resp.StatusCode, http.StatusText(resp.StatusCode)), "name the server's directory with --data"}
	}
	if fault.Code == "LoadBalancerNotFound" {
		return hinted{fmt.Errorf("there is no load balancer %s", o.name), "aws elbv2 describe-load-balancers shows them"}
	}
	return errors.New(fault.Message)
}

// printLines prints lines as they come. How many this reader was too slow for goes to
// errOut.
func printLines(ctx context.Context, from io.Reader, out, errOut io.Writer) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return errors.New("the log has ended: the server stopped, or the load balancer was deleted")
		}
		if n, lost := strings.CutPrefix(line, console.Lost); lost {
			if _, err := fmt.Fprintf(errOut, "lost %s lines: they came faster than they were read\n", strings.TrimSpace(n)); err != nil {
				return err
			}
			continue
		}
		if _, err := io.WriteString(out, line); err != nil {
			return err
		}
	}
}
