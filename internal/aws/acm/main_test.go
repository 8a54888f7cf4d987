package acm_test

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/smithy-go"

	face "neargate/internal/aws/acm"
	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
	"neargate/internal/certs"
	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

// rig is a client of the face, the authority behind it, and the one user of
// certificates.
type rig struct {
	*sdk.Client
	authority *certs.Authority
	shown     string
}

func (r *rig) Root() ([]byte, error) { return r.authority.Root(), nil }

func (r *rig) Issue(_ context.Context, holder crypto.Signer, names []string) ([]byte, error) {
	return r.authority.Sign(holder.Public(), names, time.Now(), 198*24*time.Hour)
}

func (r *rig) CertificateUsers(arn string) []string {
	if arn == r.shown {
		return []string{"arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/0123456789abcdef"}
	}
	return nil
}

func (r *rig) UnlessShown(arn string, do func() error) ([]string, error) {
	if users := r.CertificateUsers(arn); len(users) > 0 {
		return users, nil
	}
	return nil, do()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	if r.authority, err = certs.OpenAuthority(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	c, err := certificates.Open(db, certificates.Config{
		Key: key, Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Issuer: r, Users: r, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(wire.NewHandler([]wire.Service{face.New(c, r)}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(srv.Close)
	r.Client = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: srv.Client(),
	})
	return r
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// must returns a function that fails the test for an error.
func must[Out any](t *testing.T) func(Out, error) Out {
	t.Helper()
	return func(out Out, err error) Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
