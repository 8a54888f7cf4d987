package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/console"
)

func caCommand() *cobra.Command {
	data := app.Default().Data
	cmd := &cobra.Command{
		Use: "ca", Short: "Print the root that the server's own certificates are signed by", Args: noArgs,
		Long: `Print, in PEM, the root of the authority that signs the certificates which the
server issues itself: those requested from its Certificate Manager, and that of its
APIs with --tls self-signed. Clients that trust the root trust all of them.

The server is found through --data, or else through AWS_ENDPOINT_URL where that is
set.`,
		Example: `  neargate ca > neargate-ca.pem
  curl --cacert neargate-ca.pem https://shop-1234567890.us-east-1.elb.localhost/`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := findServer(data, cmd.Flags().Changed("data"))
			if err != nil {
				return err
			}
			root, err := askRoot(cmd.Context(), s)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(root)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "the server's --data directory")
	return cmd
}

// askRoot asks a server for the root of its authority.
func askRoot(ctx context.Context, s server) ([]byte, error) {
	status, root, err := s.get(ctx, console.AuthorityPath, nil)
	if err == nil && status != http.StatusOK {
		err = hinted{fmt.Errorf("what answers at %s has no root to print (%d %s)", s.endpoint, status, http.StatusText(status)), "name the server's directory with --data"}
	}
	return root, err
}
