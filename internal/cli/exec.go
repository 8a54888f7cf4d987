package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"neargate/internal/cli/inside"
	"neargate/internal/session/channel"
	"neargate/internal/session/client"
)

// exited ends the program with a code of another's.
type exited struct{ code int }

// Error implements error.
func (e exited) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// execOptions are the flags of exec.
type execOptions struct {
	at              clusterFlags
	task, container string
	plain           bool
}

func execCommand() *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use: "exec (SERVICE | --task TASK) [-- COMMAND ARG...]", Short: "Run a command in a container of a task", DisableFlagsInUseLine: true,
		Long: `Run a command in a container of a running task: of the task that is named by its
ID, the first digits of it or its ARN, or of a healthy one of the service. Without
a COMMAND it is /bin/sh. It has a terminal where neargate itself has one; else its
input and outputs are neargate's own. Its exit code is neargate's.

The command is run by ECS Exec, as on AWS: the task must have been started with
enableExecuteCommand, and the command is root's. It ends with the session.`,
		Example: `  neargate exec web
  neargate exec web -- cat /etc/hosts
  neargate exec --task 4f1c2a90 --container app -- /bin/sh -c 'env | sort'
  tar c files | neargate exec web -- tar x -C /tmp`,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, command := args, []string{"/bin/sh"}
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				target = args[:n]
				if n < len(args) {
					command = args[n:]
				}
			}
			switch {
			case len(target) > 1:
				return misuse{hinted{fmt.Errorf("the command %q needs -- before it", strings.Join(target[1:], " ")), "neargate exec " + target[0] + " -- " + strings.Join(target[1:], " ")}}
			case len(target) == 0 && o.task == "":
				return misuse{hinted{errors.New("name a service, or a task with --task"), "neargate ps lists them"}}
			case len(target) == 1 && o.task != "":
				return misuse{hinted{errors.New("name a service or a task, not both"), "run 'neargate exec --help'"}}
			}
			cluster, err := o.at.open(cmd)
			if err != nil {
				return err
			}
			code, err := o.run(cmd, cluster, target, command)
			switch {
			case err != nil:
				return troubled(err)
			case code > 0:
				return exited{code}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.task, "task", "", "the task: its ID, the first digits of it, or its ARN")
	f.StringVar(&o.container, "container", "", "the container, where the task has several")
	f.BoolVarP(&o.plain, "no-terminal", "T", false, "give the command no terminal")
	o.at.add(cmd)
	return cmd
}

func (o execOptions) run(cmd *cobra.Command, cluster *inside.Cluster, target, command []string) (code int, err error) {
	ctx := cmd.Context()
	var task types.Task
	if o.task != "" {
		task, err = cluster.Task(ctx, o.task)
	} else {
		task, err = cluster.Pick(ctx, target[0][strings.LastIndex(target[0], "/")+1:])
	}
	if err != nil {
		return -1, err
	}
	s := client.Streams{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}
	if o.plain || !isTerminal(s.In) || !isTerminal(s.Out) {
		return cluster.Exec(ctx, task, o.container, command, s)
	}
	return inTerminal(ctx, s, func(s client.Streams) (int, error) {
		return cluster.Exec(ctx, task, o.container, command, s)
	})
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// inTerminal hands the terminal over to what runs: keys go there as they are
// typed, and each new size.
func inTerminal(ctx context.Context, s client.Streams, run func(client.Streams) (int, error)) (code int, err error) {
	in, out := s.In.(*os.File), s.Out.(*os.File) //nolint:forcetypeassert // isTerminal
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return -1, fmt.Errorf("prepare the terminal: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(int(in.Fd()), before)) }()
	changes, windows := make(chan os.Signal, 1), make(chan channel.Window)
	signal.Notify(changes, syscall.SIGWINCH)
	defer signal.Stop(changes)
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { watchSize(ctx, out, changes, windows) })
	s.Windows = windows
	return run(s)
}

// watchSize tells the terminal's size, now and after each change.
func watchSize(ctx context.Context, out *os.File, changes <-chan os.Signal, windows chan<- channel.Window) {
	for {
		if columns, rows, err := term.GetSize(int(out.Fd())); err == nil {
			select {
			case windows <- channel.Window{Columns: uint32(columns), Rows: uint32(rows)}:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return
		}
	}
}
