package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/spf13/cobra"

	"neargate/internal/app"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Replace the access key", Args: noArgs, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cfg := app.Default()
	rotate := &cobra.Command{
		Use: "rotate", Short: "Make a new access key; the old one is refused from now on", Args: noArgs,
		Long: `Make a new access key for the account's root and take the old one back, with
every session and registry password that was had with it. The server may run or
not. Clients get the new key from neargate env; until then they are refused with
AWS's error for an unknown key. Tasks and services are not touched.`,
		Example: `  neargate keys rotate
  eval "$(neargate env)"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return rotateKeys(cmd.Context(), cfg, cmd.OutOrStdout())
		},
	}
	rotate.Flags().StringVar(&cfg.Data, "data", cfg.Data, "the server's --data directory")
	cmd.AddCommand(rotate)
	return cmd
}

// rotateKeys replaces the key through the running server's IAM, as its clients
// would, or in the data directory of one that does not run.
func rotateKeys(ctx context.Context, cfg app.Config, out io.Writer) error {
	key := ""
	a, err := readAccess(cfg.Data)
	if err == nil {
		a.Endpoint = a.Local
		key, err = rotateRunning(ctx, a)
	}
	if _, none := errors.AsType[hinted](err); none {
		key, err = rotateStopped(cfg)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the access key is now %s; the one before is refused\n", key)
	fmt.Fprintln(out, `clients: eval "$(neargate env)", and log in to the registry again`)
	return nil
}

func rotateStopped(cfg app.Config) (string, error) {
	key, err := app.RotateKeys(cfg)
	if errors.Is(err, os.ErrNotExist) {
		return "", hinted{fmt.Errorf("no server has run with --data %s", cfg.Data), "name the server's directory with --data"}
	}
	return key.AccessKey, explain(err)
}

func rotateRunning(ctx context.Context, a app.Access) (string, error) {
	client, err := clientTrusting(a.CAFile)
	if err != nil {
		return "", err
	}
	old := iamClient(client, a, a.AccessKey, a.SecretKey)
	keys, err := old.ListAccessKeys(ctx, &iam.ListAccessKeysInput{})
	if err != nil {
		return "", fmt.Errorf("list the access keys: %w", err)
	}
	for _, k := range keys.AccessKeyMetadata {
		if id := aws.ToString(k.AccessKeyId); id != a.AccessKey {
			if err := deleteKey(ctx, old, id); err != nil {
				return "", err
			}
		}
	}
	made, err := old.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{})
	if err != nil {
		return "", fmt.Errorf("make an access key: %w", err)
	}
	id := aws.ToString(made.AccessKey.AccessKeyId)
	return id, deleteKey(ctx, iamClient(client, a, id, aws.ToString(made.AccessKey.SecretAccessKey)), a.AccessKey)
}

func deleteKey(ctx context.Context, c *iam.Client, id string) error {
	if _, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: &id}); err != nil {
		return fmt.Errorf("delete access key %s: %w", id, err)
	}
	return nil
}

func iamClient(client *http.Client, a app.Access, key, secret string) *iam.Client {
	return iam.New(iam.Options{
		BaseEndpoint: aws.String(a.Endpoint), Region: a.Region, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	})
}
