package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/model"
	"neargate/internal/runtime/local"
)

func doctorCommand() *cobra.Command {
	cfg := app.Default()
	cmd := &cobra.Command{
		Use: "doctor", Short: "Examine what a server needs", Args: noArgs,
		Long: `Examine the machine, the data directory and its files, the disk and the port, and
change nothing. Without --account and --region they are the state's own. The exit
code is 1 when a server could not start or run well.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Place = placeOf(cmd, cfg)
			bad := 0
			for _, f := range app.Examine(cmd.Context(), cfg) {
				if f.Err != nil {
					bad++
				}
				printFinding(cmd.OutOrStdout(), f)
			}
			if bad > 0 {
				return fmt.Errorf("%d of these to be mended", bad)
			}
			return nil
		},
	}
	stateFlags(cmd, &cfg)
	cmd.Flags().StringVar(&cfg.Listen, "listen", cfg.Listen, "address of the AWS APIs")
	return cmd
}

// stateFlags adds the flags that say whose state it is.
func stateFlags(cmd *cobra.Command, cfg *app.Config) {
	f := cmd.Flags()
	f.StringVar(&cfg.Data, "data", cfg.Data, "directory that keeps the server's state")
	f.StringVar(&cfg.Place.Region, "region", cfg.Place.Region, "region that the server was started with; the state's own unless set")
	f.StringVar(&cfg.Place.Account, "account", cfg.Place.Account, "account that the server was started with; the state's own unless set")
}

// placeOf is whose state is meant: what the flags name, or else the state's own.
func placeOf(cmd *cobra.Command, cfg app.Config) model.Place {
	if f := cmd.Flags(); f.Changed("region") || f.Changed("account") {
		return cfg.Place
	}
	return app.PlaceOf(cfg.Data, cfg.Place)
}

func printFinding(w io.Writer, f app.Finding) {
	if f.Err == nil {
		if f.Note != "" {
			f.Note = ": " + f.Note
		}
		fmt.Fprintf(w, "ok   %s%s\n", f.Subject, f.Note)
		return
	}
	fmt.Fprintf(w, "BAD  %s: %v\n", f.Subject, f.Err)
	hint := f.Hint
	if m, ok := errors.AsType[*local.Missing](f.Err); ok {
		hint = m.Hint
	} else if h, ok := errors.AsType[hinted](explain(f.Err)); ok && hint == "" {
		hint = h.hint
	}
	if hint != "" {
		fmt.Fprintf(w, "     hint: %s\n", hint)
	}
}
