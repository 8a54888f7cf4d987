package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/store"
)

func repairCommand() *cobra.Command {
	cfg := app.Default()
	cmd := &cobra.Command{
		Use: "repair", Short: "Make a good state file of a damaged one and its copy", Args: noArgs,
		Long: `Make a good state.db of a damaged one and of its copy, which a running server
makes every 5 minutes and when it stops. Each table that can be read whole is kept
as it is; the others come from the copy. The damaged file is put aside. Without
--account and --region they are the state's own. The server must be stopped; tasks
go on running.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Place = placeOf(cmd, cfg)
			r, err := app.RepairState(cfg)
			if errors.Is(err, store.ErrNothingLeft) {
				return hinted{err, "put back a copy of your own; or end the tasks (neargate cleanup) and begin anew with another --data"}
			}
			if err != nil {
				return explain(err)
			}
			printRepaired(cmd, r)
			return nil
		},
	}
	stateFlags(cmd, &cfg)
	return cmd
}

func printRepaired(cmd *cobra.Command, r store.Repaired) {
	w := cmd.OutOrStdout()
	if r.Aside == "" {
		fmt.Fprintln(w, "the state is whole; nothing was changed")
		return
	}
	for _, t := range r.Tables {
		if t.Source != store.FromFile || t.Records > 0 {
			fmt.Fprintf(w, "%-24s %6d records from %s\n", t.Name, t.Records, t.Source)
		}
	}
	if !r.Copied.IsZero() {
		fmt.Fprintln(w, "the copy is of", r.Copied.Format(time.DateTime))
	}
	if _, err := os.Stat(r.Aside); err != nil {
		fmt.Fprintln(w, "the state is restored; there was no file")
		return
	}
	fmt.Fprintln(w, "the state is repaired; the damaged file is now", r.Aside)
}
