package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"neargate/internal/app"
)

func envCommand() *cobra.Command {
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "env", Short: "Print the environment that points AWS clients at the server", Args: noArgs,
		Long: `Print shell commands that point AWS clients at the server: AWS_ENDPOINT_URL, the
region and the keys, and the authority to trust (AWS_CA_BUNDLE) where the server
signed its certificate itself. For an aws command too old to read AWS_ENDPOINT_URL, such
as Debian 12's, they define a function of its name that does.`,
		Example: `  eval "$(neargate env)"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := readAccess(data)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, v := range [][2]string{
				{"AWS_ENDPOINT_URL", a.Endpoint},
				{"AWS_REGION", a.Region},
				{"AWS_DEFAULT_REGION", a.Region},
				{"AWS_ACCESS_KEY_ID", a.AccessKey},
				{"AWS_SECRET_ACCESS_KEY", a.SecretKey},
				{"AWS_CA_BUNDLE", a.CAFile},
			} {
				if v[1] != "" {
					fmt.Fprintf(out, "export %s=%s\n", v[0], shellQuote(v[1]))
				}
			}
			fmt.Fprintln(out, "unset AWS_SESSION_TOKEN AWS_PROFILE")
			if version, old := oldAWS(cmd.Context()); old {
				fmt.Fprintf(out, awsFunction, version)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "the server's --data directory")
	return cmd
}

// shellQuote quotes what a shell would not take as it is.
func shellQuote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// readAccess returns how to reach the server on a data directory; a killed one
// has left that behind and cannot be reached.
func readAccess(data string) (app.Access, error) {
	path := filepath.Join(data, app.AccessFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return app.Access{}, noServer(data)
	}
	if err != nil {
		return app.Access{}, fmt.Errorf("read how to reach the server: %w", err)
	}
	var a app.Access
	if err := json.Unmarshal(b, &a); err != nil {
		return app.Access{}, fmt.Errorf("read %s: %w", path, err)
	}
	if runs, known := app.Runs(data); known && !runs {
		return app.Access{}, noServer(data)
	}
	return a, nil
}

func noServer(data string) error {
	return hinted{fmt.Errorf("no server runs with --data %s", data), "start one: neargate serve --data " + data}
}
