package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/cli/resolver"
	"neargate/internal/console"
)

func dnsCommand() *cobra.Command {
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "dns", Short: "Show the names of load balancers, and what other machines need to resolve them", DisableFlagsInUseLine: true,
		Long: `Print the names that the server answers for, where this machine and others reach
what they name, and lines for the DNS server of a network, by which other machines
find it.

'neargate dns install' has every program of this machine ask the server: by
systemd-resolved where that is in use, which then asks it about its own names
alone; else by /etc/resolv.conf, in which it becomes the first name server. It
asks those that were there about all other names, and programs do so themselves
while it does not run.`,
		Example: `  neargate dns
  sudo neargate dns install
  sudo neargate dns uninstall`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := findNames(cmd, data)
			if err != nil {
				return err
			}
			return printNames(cmd.OutOrStdout(), n)
		},
	}
	cmd.PersistentFlags().StringVar(&data, "data", data, "the server's --data directory")
	cmd.AddCommand(&cobra.Command{
		Use: "install", Short: "Have every program of this machine ask the server about names", Args: noArgs, DisableFlagsInUseLine: true,
		Long: "Have every program of this machine ask the server about names, and print what is\nchanged for that. Once more changes nothing, or brings it up to date: with\nsystemd-resolved, after a namespace of Cloud Map was created.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := findNames(cmd, data)
			if err != nil {
				return err
			}
			return installNames(cmd.Context(), cmd.OutOrStdout(), n)
		},
	}, &cobra.Command{
		Use: "uninstall", Short: "Have the programs of this machine ask as they did before", Args: noArgs, DisableFlagsInUseLine: true,
		Long: "Undo 'neargate dns install', and print what is changed for that. The server need\nnot run.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			changes, err := thisMachine().Uninstall(cmd.Context())
			return tellChanges(cmd.OutOrStdout(), changes, err, "nothing was installed")
		},
	})
	return cmd
}

// thisMachine is where the command runs.
func thisMachine() resolver.Machine {
	return resolver.Machine{Reload: func(ctx context.Context) error {
		out, err := exec.CommandContext(ctx, "systemctl", "reload-or-restart", "systemd-resolved").CombinedOutput()
		if err != nil && len(out) > 0 {
			return errors.New(strings.TrimSpace(string(out)))
		}
		return err
	}}
}

func findNames(cmd *cobra.Command, data string) (n console.Names, err error) {
	s, err := findServer(data, cmd.Flags().Changed("data"))
	if err != nil {
		return n, err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint+console.NamesPath, nil)
	if err != nil {
		return n, fmt.Errorf("ask %s: %w", s.endpoint, err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return n, hinted{fmt.Errorf("no server answers at %s", s.endpoint), "start one: neargate serve"}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return n, hinted{fmt.Errorf("what answers at %s is no neargate that has names (%s)", s.endpoint, resp.Status), "name the server's directory with --data"}
	}
	if err := json.NewDecoder(resp.Body).Decode(&n); err != nil {
		return n, fmt.Errorf("read the answer of %s: %w", s.endpoint, err)
	}
	return n, nil
}

func installNames(ctx context.Context, out io.Writer, n console.Names) error {
	if len(n.Machine) == 0 {
		return hinted{errors.New("the server answers no names to programs of this machine"), "neargate serve --dns 127.53.0.1:53; without --dns that address was not to be had, as its log says"}
	}
	if err := answersNames(ctx, n.Machine[0]); err != nil {
		return hinted{fmt.Errorf("no names are answered at %s: %w", n.Machine[0], err), "the server must run on this machine, and in this network namespace"}
	}
	changes, err := thisMachine().Install(ctx, resolver.Server{Address: n.Machine[0], Zones: n.Zones})
	return tellChanges(out, changes, err, "nothing to do: programs of this machine ask "+n.Machine[0].String())
}

// answersNames asks for a name that every server knows.
func answersNames(ctx context.Context, at netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at.String())
	}}
	_, err := r.LookupHost(ctx, "neargate.internal.")
	return err
}

func tellChanges(out io.Writer, changes []string, err error, none string) error {
	for _, c := range changes {
		fmt.Fprintln(out, c)
	}
	if r, ok := errors.AsType[*resolver.Refusal](err); ok {
		return hinted{err, r.Hint}
	}
	if errors.Is(err, os.ErrPermission) {
		return hinted{err, "run it with sudo"}
	}
	if err == nil && len(changes) == 0 {
		fmt.Fprintln(out, none)
	}
	return err
}

// printNames writes the names, and lines for the DNS servers of others.
func printNames(out io.Writer, n console.Names) error {
	if len(n.LoadBalancers) == 0 {
		fmt.Fprintln(out, "There is no load balancer yet.")
	} else {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tON THIS MACHINE\tFROM OTHERS")
		for _, lb := range n.LoadBalancers {
			others := join(lb.World)
			if others == "" {
				others = "- (" + lb.Scheme + ")"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", lb.Names[0], lb.Machine, others)
			for _, alias := range lb.Names[1:] {
				fmt.Fprintf(w, "  %s\t\t\n", alias)
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintln(out)
	if len(n.Machine) > 0 {
		fmt.Fprintf(out, "This machine's programs ask at %s: sudo neargate dns install\n", n.Machine[0])
	}
	printOthers(out, n)
	return nil
}

func printOthers(out io.Writer, n console.Names) {
	if name := formerName(n); name != "" {
		_, domain, _ := strings.Cut(name, ".")
		fmt.Fprintf(out, "Other machines: the server runs without the domain of %s: neargate serve --domain %s answers for it.\n", name, domain)
		return
	}
	if n.Domain == "" {
		fmt.Fprintln(out, "Other machines: names below localhost are theirs. neargate serve --domain example.test gives load balancers names that they can resolve.")
		return
	}
	if len(n.World) > 0 {
		at := n.World[0]
		server, dnsmasq, unbound := at.Addr().String(), at.Addr().String(), at.Addr().String()
		if at.Port() != 53 {
			server, dnsmasq, unbound = at.Addr().String()+" port "+fmt.Sprint(at.Port()), fmt.Sprintf("%s#%d", at.Addr(), at.Port()), fmt.Sprintf("%s@%d", at.Addr(), at.Port())
		}
		fmt.Fprintf(out, "Other machines: have the network's DNS server ask this one about %s.\n", n.Domain)
		fmt.Fprintf(out, "  dnsmasq  server=/%s/%s\n", n.Domain, dnsmasq)
		fmt.Fprintf(out, "  unbound  forward-zone: name: %q forward-addr: %s\n", n.Domain, unbound)
		fmt.Fprintf(out, "  BIND     zone %q { type forward; forward only; forwarders { %s; }; };\n", n.Domain, server)
		fmt.Fprintf(out, "  Windows  Add-DnsClientNrptRule -Namespace %q -NameServers %q\n", "."+n.Domain, at.Addr())
		fmt.Fprintf(out, "  macOS    /etc/resolver/%s: nameserver %s\n", n.Domain, at.Addr())
		return
	}
	fmt.Fprintln(out, "Other machines: serve --dns 127.53.0.1:53,ADDRESS:53 answers them too; or these records, for whoever keeps the network's names:")
	none := true
	for _, lb := range n.LoadBalancers {
		for _, a := range lb.World {
			kind := "A"
			if a.Is6() {
				kind = "AAAA"
			}
			none = false
			fmt.Fprintf(out, "  %s. 60 IN %s %s\n", lb.Names[0], kind, a)
		}
	}
	if none {
		fmt.Fprintln(out, "  (none: no load balancer answers other machines; see serve --public)")
	}
}

// formerName is a load balancer's name of a domain that the server has had, where
// it runs without one now; "" where there is none.
func formerName(n console.Names) string {
	for _, lb := range n.LoadBalancers {
		if n.Domain == "" && !strings.HasSuffix(lb.Names[0], ".localhost") {
			return lb.Names[0]
		}
	}
	return ""
}

func join(all []netip.Addr) string {
	var out []string
	for _, a := range all {
		out = append(out, a.String())
	}
	return strings.Join(out, " ")
}
