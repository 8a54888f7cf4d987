// Package cli is the command line: one file a subcommand. It reads the
// environment, handles signals and turns errors into one line and a hint.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

// hinted is an error with something to try.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// misuse is an error in how the program was called.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

var errInterrupted = errors.New("interrupted")

// Main runs the command line and returns the exit code: 0 done, 1 failed, 2
// misused; that of exec is its command's.
func Main(args []string, stdout, stderr io.Writer) int {
	if os.Getpid() == 1 && len(args) > 0 && (args[0] == "serve" || args[0] == "demo") {
		return runAsFirst(args, stderr)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		stop(errInterrupted)
		signal.Stop(signals) // a second signal ends the process at once
	}()
	err := run(ctx, args, stdout, stderr)
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[exited](err); ok {
		return e.code
	}
	report(stderr, err)
	if _, ok := errors.AsType[misuse](err); ok {
		return exitMisuse
	}
	return exitFailed
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:   "neargate",
		Short: "Run containers as services that scale themselves, and answer the AWS APIs",
		Long: `Neargate runs containers as services behind its own application load balancer,
measures them, and scales them by the policies of AWS Application Auto Scaling.
It answers the AWS APIs, so the AWS CLI and the SDKs work unmodified.`,
		Example: `  neargate demo                    see a service scale itself under load, in three minutes
  neargate simulate --shape step   try scaling policies on a load, in virtual time
  neargate serve                   run the server
  eval "$(neargate env)"           point AWS clients at it
  aws ecs list-clusters`,
		SilenceErrors: true, SilenceUsage: true, DisableFlagsInUseLine: true,
		Version: version(),
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse{hinted{fmt.Errorf("unknown command %q", args[0]), suggestion(cmd, args[0])}}
			}
			return cmd.Help()
		},
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetVersionTemplate("neargate {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(demoCommand(), simulateCommand(), serveCommand(), restartCommand(), psCommand(), logsCommand(), execCommand(), explainCommand(), topCommand(), dnsCommand(), imageCommand(), doctorCommand(), repairCommand(), cleanupCommand(), envCommand(), keysCommand(), caCommand(), versionCommand(), exampleAppCommand(), exampleImageCommand()) //nolint:contextcheck // cobra hands ctx to the command
	root.SetHelpCommand(helpCommand(root))
	return root.ExecuteContext(ctx)
}

// helpCommand is cobra's, except that an unknown command is an error.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [command]", Short: "Say how to use a command", DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unknown command %q", strings.Join(args, " "))
			}
			if err != nil {
				return misuse{hinted{err, suggestion(root, args[0])}}
			}
			return cmd.Help()
		},
	}
}

// flagError names what is wrong with a flag without the parser's own words.
func flagError(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		want := "a " + bad.GetFlag().Value.Type()
		switch bad.GetFlag().Value.Type() {
		case "int":
			want = "a whole number"
		case "uint64":
			want = "a whole number of at least 0"
		case "float64":
			want = "a number"
		case "duration":
			want = "a duration such as 90s or 2m"
		case "bool":
			want = "true or false"
		}
		err = fmt.Errorf("--%s %q: want %s", bad.GetFlag().Name, bad.GetValue(), want)
	}
	return misuse{hinted{err, "run '" + cmd.CommandPath() + " --help' for the flags"}}
}

func suggestion(cmd *cobra.Command, arg string) string {
	cmd.SuggestionsMinimumDistance = 2
	if names := cmd.SuggestionsFor(arg); len(names) > 0 {
		return "did you mean " + strings.Join(names, " or ") + "?"
	}
	return "run 'neargate --help' for the commands"
}

// report prints an error as one line, and its hint as another.
func report(w io.Writer, err error) {
	fmt.Fprintf(w, "neargate: %s\n", printable(strings.ReplaceAll(err.Error(), "\n", "; ")))
	if h, ok := errors.AsType[hinted](err); ok {
		fmt.Fprintf(w, "hint: %s\n", printable(h.hint))
	}
}

// printable escapes what would move a terminal's cursor or change its state:
// errors quote files and answers that others wrote.
func printable(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, misuse{hinted{fmt.Errorf("--log-level %q is not a level", level), "one of debug, info, warn, error"}}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return misuse{hinted{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[0]), "run '" + cmd.CommandPath() + " --help'"}}
}
