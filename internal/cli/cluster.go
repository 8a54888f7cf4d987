package cli

import (
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/cli/inside"
)

// clusterFlags are those of commands that look into a cluster.
type clusterFlags struct{ data, cluster string }

func (c *clusterFlags) add(cmd *cobra.Command) {
	c.data, c.cluster = app.Default().Data, "default"
	cmd.Flags().StringVar(&c.cluster, "cluster", c.cluster, "the cluster")
	cmd.Flags().StringVar(&c.data, "data", c.data, "the server's --data directory")
}

// open finds the server as explain does, with a key for it.
func (c *clusterFlags) open(cmd *cobra.Command) (*inside.Cluster, error) {
	cfg, client, err := c.configure(cmd)
	if err != nil {
		return nil, err
	}
	return inside.Open(cfg, client, c.cluster), nil
}

// configure returns how the server is reached by the AWS APIs.
func (c *clusterFlags) configure(cmd *cobra.Command) (cfg aws.Config, client *http.Client, err error) {
	a := app.Access{
		Endpoint: strings.TrimSuffix(os.Getenv("AWS_ENDPOINT_URL"), "/"), CAFile: os.Getenv("AWS_CA_BUNDLE"),
		Region: os.Getenv("AWS_REGION"), AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
	}
	session := os.Getenv("AWS_SESSION_TOKEN")
	if a.Region == "" {
		a.Region = os.Getenv("AWS_DEFAULT_REGION")
	}
	if cmd.Flags().Changed("data") || a.Endpoint == "" {
		if a, err = readAccess(c.data); err != nil {
			return cfg, nil, err
		}
		a.Endpoint = a.Local
		session = ""
	}
	if a.AccessKey == "" || a.SecretKey == "" || a.Region == "" {
		return cfg, nil, hinted{errors.New("AWS_ENDPOINT_URL is set without a region and a key"), `eval "$(neargate env)" sets them; --data names the server's directory instead`}
	}
	if client, err = clientTrusting(a.CAFile); err != nil {
		return cfg, nil, err
	}
	return aws.Config{
		Region: a.Region, BaseEndpoint: aws.String(a.Endpoint), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(a.AccessKey, a.SecretKey, session),
	}, client, nil
}

// troubled gives an error of package inside its hint.
func troubled(err error) error {
	if t, ok := errors.AsType[*inside.Trouble](err); ok {
		return hinted{err, t.Hint}
	}
	return err
}
