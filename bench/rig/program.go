package rig

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"neargate/internal/cli/appimage"
)

// Program is where the running program is in the image that PushProgram makes.
const Program = "/neargate"

// Config is for clients of the server.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	}
}

// PushProgram makes an image of the running program, in a new repository, and
// returns its reference.
func (s *Server) PushProgram(ctx context.Context, name string) (image string, err error) {
	c := ecr.NewFromConfig(s.Config())
	repo, err := c.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &name})
	if err != nil {
		return "", err
	}
	auth, err := c.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return "", err
	}
	token, err := base64.StdEncoding.DecodeString(*auth.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		return "", fmt.Errorf("read the registry's token: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	user, password, _ := strings.Cut(string(token), ":")
	_, err = appimage.Push(ctx, appimage.Repository{URI: *repo.Repository.RepositoryUri, User: user, Password: password}, "latest", exe)
	return *repo.Repository.RepositoryUri + ":latest", err
}
