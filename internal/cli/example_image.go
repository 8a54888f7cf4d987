package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/cli/appimage"
)

func exampleImageCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "example-image", Short: "Make the example app's image without Docker",
		Args: noArgs, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use: "push REPOSITORY_URI[:TAG]", Short: "Push the example app's image to a repository",
		Long: `Make the image of the example app and push it to a repository of a running
server, as docker build and docker push would. The app is this program itself,
so neither Docker nor Go is needed. The tag is "latest" unless one is given.
It greets at GET / and burns a little CPU at GET /computation, on port 8080.

It reaches the server through AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY; eval "$(neargate env)" sets them.`,
		Example: `  uri=$(aws ecr create-repository --repository-name app \
        --query repository.repositoryUri --output text)
  neargate example-image push "$uri"`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse{hinted{errors.New("name the one repository to push to"), "run 'neargate example-image push --help'"}}
			}
			image, err := pushExampleImage(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), image)
			return nil
		},
	})
	return cmd
}

// pushExampleImage pushes the app's image and returns its name with the digest.
func pushExampleImage(ctx context.Context, ref string) (string, error) {
	uri, tag := ref, "latest"
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		uri, tag = ref[:i], ref[i+1:]
	}
	if dir, name := path.Split(uri); dir == "" || name == "" || tag == "" {
		return "", misuse{hinted{fmt.Errorf("%q is no repository URI", ref), "aws ecr describe-repositories shows them, such as 127.0.0.1:4566/app"}}
	}
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's file: %w", err)
	}
	to, err := registryLogin(ctx)
	if err != nil {
		return "", err
	}
	to.URI = uri
	digest, err := appimage.Push(ctx, to, tag, exe)
	return uri + "@" + digest, err
}

// registryLogin asks ECR for how to log in to the registry, as
// `aws ecr get-login-password` does.
func registryLogin(ctx context.Context) (appimage.Repository, error) {
	a, err := accessOfEnvironment()
	if err != nil {
		return appimage.Repository{}, err
	}
	return registryLoginAt(ctx, a)
}

// accessOfEnvironment is how AWS clients reach the server by the environment.
func accessOfEnvironment() (app.Access, error) {
	a := app.Access{
		Endpoint: os.Getenv("AWS_ENDPOINT_URL"), Region: os.Getenv("AWS_REGION"),
		AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), CAFile: os.Getenv("AWS_CA_BUNDLE"),
	}
	if a.Endpoint == "" || a.Region == "" || a.AccessKey == "" || a.SecretKey == "" {
		return a, hinted{errors.New("the environment does not say how to reach the server"), `eval "$(neargate env)"`}
	}
	return a, nil
}

func registryLoginAt(ctx context.Context, a app.Access) (appimage.Repository, error) {
	var to appimage.Repository
	trusted, err := trusting(a.CAFile)
	if err != nil {
		return to, err
	}
	if strings.HasPrefix(a.Endpoint, "https:") {
		to.TLS = trusted
	}
	transport := &http.Transport{TLSClientConfig: trusted}
	defer transport.CloseIdleConnections()
	client := ecr.New(ecr.Options{
		BaseEndpoint: aws.String(a.Endpoint), Region: a.Region, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(a.AccessKey, a.SecretKey, ""),
	})
	out, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return to, fmt.Errorf("log in to the registry: %w", err)
	}
	if len(out.AuthorizationData) == 0 {
		return to, errors.New("log in to the registry: the server gave no token")
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(out.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		return to, fmt.Errorf("decode the registry's token: %w", err)
	}
	to.User, to.Password, _ = strings.Cut(string(token), ":")
	return to, nil
}
