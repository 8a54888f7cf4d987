package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/handover"
)

func restartCommand() *cobra.Command {
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "restart", Short: "Have a server replace itself by the program on disk", Args: noArgs,
		Long: `Have the server on --data start its successor: the program that is now
at the path by which the server was started, with the same flags. Tasks go on running,
no connection is refused, requests under way are answered, and WebSockets live on in
the old process until they end, or for its --linger. If the successor does not come
up, the server goes on.

With other flags: start neargate serve --replace on the same --data.`,
		Example: `  neargate restart     after an upgrade of the program`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := handover.Restart(data)
			if errors.Is(err, handover.ErrNobody) {
				return hinted{fmt.Errorf("no server runs on %s", data), "start one: neargate serve --data " + data}
			}
			if err != nil {
				return explain(err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "data directory of the server")
	return cmd
}

// fromInit takes what an init system passes to a server, which is nobody else's.
func fromInit(cfg *app.Config) {
	cfg.Notify = os.Getenv("NOTIFY_SOCKET")
	cfg.Sockets = handover.NewSockets(handover.Activated(os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getpid())...)
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // fails for names with = only
	}
	cfg.StartSuccessor = successors()
}

// successors returns what starts this command again, to replace this process: with the
// program that lies then where this one lies now, or this one itself.
func successors() func(own bool) (*os.Process, error) {
	path, err := ownPath(os.Args[0])
	args := slices.Clone(os.Args)
	args[0] = path // the successor's own path
	if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--replace") }) {
		args = append(args, "--replace")
	}
	return func(own bool) (*os.Process, error) {
		program := path
		switch {
		case own:
			program = "/proc/self/exe"
		case err != nil:
			return nil, fmt.Errorf("find this program's file: %w", err)
		}
		return os.StartProcess(program, args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Env: os.Environ()})
	}
}
