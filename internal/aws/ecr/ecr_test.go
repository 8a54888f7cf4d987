package ecr_test

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/ecr"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/registry"
	"neargate/internal/store"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

const index = "application/vnd.oci.image.index.v1+json"

// newClient returns an SDK client of a fresh registry.
func newClient(t *testing.T) (*sdk.Client, *registry.Registry) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	place := model.Place{Region: "us-east-1", Account: "000000000000"}
	log := slog.New(slog.DiscardHandler)
	reg, err := registry.Open(t.Context(), db, registry.Config{Dir: t.TempDir(), Place: place, Endpoint: "127.0.0.1:4566"}, log)
	if err != nil {
		t.Fatal(err)
	}
	h := wire.NewHandler([]wire.Service{ecr.New(reg, place, "http://127.0.0.1:4566")}, anyone{}, wire.Config{Log: log})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: srv.Client(),
	}), reg
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

func TestRepositories(t *testing.T) {
	c, _ := newClient(t)
	created, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{
		RepositoryName: aws.String("team/app"), Tags: []types.Tag{{Key: aws.String("env"), Value: aws.String("dev")}},
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := created.Repository
	got := []string{*r.RepositoryArn, *r.RepositoryUri, *r.RegistryId, string(r.ImageTagMutability), string(r.EncryptionConfiguration.EncryptionType)}
	want := []string{"arn:aws:ecr:us-east-1:000000000000:repository/team/app", "127.0.0.1:4566/team/app", "000000000000", "MUTABLE", "AES256"}
	if diff := cmp.Diff(want, got); diff != "" || !r.ImageScanningConfiguration.ScanOnPush || r.CreatedAt.IsZero() {
		t.Errorf("created (-want +got):\n%s%+v", diff, r)
	}
	_, err = c.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: r.RepositoryArn, Tags: []types.Tag{
		{Key: aws.String("env"), Value: aws.String("prod")}, {Key: aws.String("team"), Value: aws.String("a")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: r.RepositoryArn, TagKeys: []string{"team"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: r.RepositoryArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "prod" {
		t.Errorf("tags = %+v, %v", tags, err)
	}
	for _, name := range []string{"b", "a1", "c1"} {
		if _, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: aws.String(name + "x")}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for p := sdk.NewDescribeRepositoriesPaginator(c, &sdk.DescribeRepositoriesInput{MaxResults: aws.Int32(3)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Repositories {
			names = append(names, *r.RepositoryName)
		}
	}
	if diff := cmp.Diff([]string{"a1x", "bx", "c1x", "team/app"}, names); diff != "" {
		t.Errorf("all repositories (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: aws.String("app")}); err != nil {
		t.Fatal(err)
	}
	name := aws.String("app")
	for _, row := range []struct {
		name, code, text string
		call             func() error
	}{
		{"same name twice", "RepositoryAlreadyExistsException", "The repository with name 'app' already exists in the registry with id '000000000000'", func() error {
			_, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: name})
			return err
		}},
		{"bad name", "InvalidParameterException", "must satisfy regular expression", func() error {
			_, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: aws.String("App")})
			return err
		}},
		{"bad mutability", "InvalidParameterException", "enum value set", func() error {
			_, err := c.PutImageTagMutability(t.Context(), &sdk.PutImageTagMutabilityInput{RepositoryName: name, ImageTagMutability: "SOMETIMES"})
			return err
		}},
		{"unknown repository", "RepositoryNotFoundException", "The repository with name 'none' does not exist in the registry with id '000000000000'", func() error {
			_, err := c.DescribeRepositories(t.Context(), &sdk.DescribeRepositoriesInput{RepositoryNames: []string{"none"}})
			return err
		}},
		{"another registry", "RepositoryNotFoundException", "id '111111111111'", func() error {
			_, err := c.ListImages(t.Context(), &sdk.ListImagesInput{RepositoryName: name, RegistryId: aws.String("111111111111")})
			return err
		}},
		{"unknown image", "ImageNotFoundException", "imageTag:'v1'", func() error {
			_, err := c.DescribeImages(t.Context(), &sdk.DescribeImagesInput{RepositoryName: name, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
			return err
		}},
		{"layers missing", "LayersNotFoundException", "do not exist", func() error {
			_, err := c.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: name, ImageManifest: aws.String(
				`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"sha256:` + strings.Repeat("0", 64) + `","size":1},"layers":[]}`)})
			return err
		}},
		{"bad manifest", "InvalidParameterException", "Invalid JSON syntax", func() error {
			_, err := c.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: name, ImageManifest: aws.String("{")})
			return err
		}},
		{"bad page token", "InvalidParameterException", "nextToken", func() error {
			_, err := c.ListImages(t.Context(), &sdk.ListImagesInput{RepositoryName: name, NextToken: aws.String("?")})
			return err
		}},
		{"bad ARN", "InvalidParameterException", "resourceArn", func() error {
			_, err := c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: aws.String("app")})
			return err
		}},
		{"an operation that is not there", "UnknownOperationException", "", func() error {
			_, err := c.StartImageScan(t.Context(), &sdk.StartImageScanInput{RepositoryName: name, ImageId: &types.ImageIdentifier{ImageTag: aws.String("v1")}})
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.call(); code(err) != row.code || !strings.Contains(err.Error(), row.text) {
				t.Errorf("error = %v, want %s with %q", err, row.code, row.text)
			}
		})
	}
}

func TestImages(t *testing.T) {
	c, _ := newClient(t)
	name := aws.String("app")
	if _, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: name}); err != nil {
		t.Fatal(err)
	}
	put := func(tag, manifest string) *types.Image {
		t.Helper()
		out, err := c.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: name, ImageTag: aws.String(tag), ImageManifest: aws.String(manifest), ImageManifestMediaType: aws.String(index)})
		if err != nil {
			t.Fatal(err)
		}
		return out.Image
	}
	one := put("v1", `{"schemaVersion":2,"manifests":[]}`)
	put("stable", `{"schemaVersion":2,"manifests":[]}`)
	two := put("v2", `{"schemaVersion":2,"manifests":[], "annotations":{}}`)
	if *one.ImageId.ImageDigest == *two.ImageId.ImageDigest {
		t.Fatal("two manifests, one digest")
	}

	listed, err := c.ListImages(t.Context(), &sdk.ListImagesInput{RepositoryName: name})
	if err != nil || len(listed.ImageIds) != 3 {
		t.Errorf("ListImages = %+v, %v, want three tags", listed, err)
	}
	described, err := c.DescribeImages(t.Context(), &sdk.DescribeImagesInput{RepositoryName: name, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if err != nil || len(described.ImageDetails) != 1 {
		t.Fatalf("DescribeImages = %+v, %v", described, err)
	}
	if d := described.ImageDetails[0]; !slices.Equal(d.ImageTags, []string{"stable", "v1"}) || *d.ImageManifestMediaType != index || d.ImageStatus != "ACTIVE" {
		t.Errorf("detail = %+v", d)
	}
	got, err := c.BatchGetImage(t.Context(), &sdk.BatchGetImageInput{RepositoryName: name, ImageIds: []types.ImageIdentifier{
		{ImageTag: aws.String("v2")}, {ImageTag: aws.String("v9")}, {}, {ImageTag: aws.String("v1"), ImageDigest: two.ImageId.ImageDigest},
	}})
	if err != nil || len(got.Images) != 1 || *got.Images[0].ImageManifest != *two.ImageManifest {
		t.Errorf("BatchGetImage = %+v, %v", got, err)
	}
	var failures []string
	for _, f := range got.Failures {
		failures = append(failures, string(f.FailureCode))
	}
	if diff := cmp.Diff([]string{"ImageNotFound", "MissingDigestAndTag", "ImageTagDoesNotMatchDigest"}, failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	_, err = c.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: name, ImageTag: aws.String("v1"), ImageManifest: one.ImageManifest, ImageManifestMediaType: aws.String(index)})
	if code(err) != "ImageAlreadyExistsException" {
		t.Errorf("the same image again: %v", err)
	}

	if _, err := c.PutImageTagMutability(t.Context(), &sdk.PutImageTagMutabilityInput{RepositoryName: name, ImageTagMutability: types.ImageTagMutabilityImmutable}); err != nil {
		t.Fatal(err)
	}
	_, err = c.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: name, ImageTag: aws.String("v1"), ImageManifest: two.ImageManifest, ImageManifestMediaType: aws.String(index)})
	if code(err) != "ImageTagAlreadyExistsException" {
		t.Errorf("another image under an immutable tag: %v", err)
	}

	deleted, err := c.BatchDeleteImage(t.Context(), &sdk.BatchDeleteImageInput{RepositoryName: name, ImageIds: []types.ImageIdentifier{{ImageDigest: one.ImageId.ImageDigest}}})
	if err != nil || len(deleted.ImageIds) != 2 || len(deleted.Failures) != 0 {
		t.Errorf("BatchDeleteImage = %+v, %v", deleted, err)
	}
	if _, err := c.DeleteRepository(t.Context(), &sdk.DeleteRepositoryInput{RepositoryName: name}); code(err) != "RepositoryNotEmptyException" {
		t.Errorf("delete with an image: %v", err)
	}
	if _, err := c.DeleteRepository(t.Context(), &sdk.DeleteRepositoryInput{RepositoryName: name, Force: true}); err != nil {
		t.Error(err)
	}
}

func TestAuthorizationTokenOpensTheRegistry(t *testing.T) {
	c, reg := newClient(t)
	out, err := c.GetAuthorizationToken(t.Context(), &sdk.GetAuthorizationTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	d := out.AuthorizationData[0]
	raw, err := base64.StdEncoding.DecodeString(*d.AuthorizationToken)
	user, password, ok := strings.Cut(string(raw), ":")
	if err != nil || !ok || *d.ProxyEndpoint != "http://127.0.0.1:4566" {
		t.Fatalf("authorization data = %+v, %v", d, err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/", nil)
	req.SetBasicAuth(user, password)
	w := httptest.NewRecorder()
	reg.Handler().ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		t.Errorf("GET /v2/ with the token = %d %s", w.Code, w.Body)
	}
}
