// Package sts is the face of AWS Security Token Service: who the caller is, and
// temporary credentials. It owns the issued credentials, which it keeps in the
// store until a while after they expire, and serves as the key ring of sigv4.
// Credentials end before that with the role they are for, and with the task or
// the root's access key at the start of their chain.
//
// Roles' trust policies and session policies are kept and not enforced: who has
// a valid key may assume any role that exists. Only tasks need a role that trusts
// ECS, as people forget that. The package is safe for
// concurrent use.
package sts

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/singleflight"

	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/store"
)

// Config sets up STS.
type Config struct {
	Place model.Place
	Keys  rootKeys
	// TaskLives reports whether a task, by CLUSTER/ID, has not ended.
	TaskLives func(task string) bool
	Now       func() time.Time // nil is time.Now
}

// rootKeys is the access keys of the account's root.
type rootKeys interface {
	// Secret returns the secret of one of them.
	Secret(accessKey string) (string, bool)
}

// roles is which roles there are, and may be assumed.
type roles interface {
	// AssumableRole returns the unique id and the longest session of the role
	// with this ARN.
	AssumableRole(arn string) (id string, longest time.Duration, ok bool)
	// HasRole reports whether the role of this name has this unique id.
	HasRole(name, id string) bool
	// Trusts reports whether the role with this ARN may be assumed by a service.
	Trusts(arn, service string) bool
}

// STS issues and keeps temporary credentials.
type STS struct {
	cfg    Config
	roles  roles
	db     *store.DB
	issued *store.Table[credential]

	issuing singleflight.Group // by task

	mu     sync.Mutex
	byTask map[string]string // guarded by mu; access keys
	swept  time.Time         // guarded by mu
}

// Open reads the issued credentials from db.
func Open(db *store.DB, roles roles, cfg Config) (*STS, error) {
	issued, err := store.NewTable[credential](db, "sts_credentials")
	if err != nil {
		return nil, fmt.Errorf("open credentials: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &STS{cfg: cfg, roles: roles, db: db, issued: issued, byTask: map[string]string{}}
	s.remembered()
	return s, nil
}

// New returns the face over s.
func New(s *STS) wire.Service {
	return wire.Service{
		SigningName: "sts",
		Version:     "2011-06-15",
		Namespace:   "https://sts.amazonaws.com/doc/2011-06-15/",
		Status:      map[string]int{"AccessDenied": http.StatusForbidden},
		Refused:     refused(),
		Refuse:      wire.RefuseWith("ValidationError"),
		Kept:        kept(),
		Operations: []wire.Operation{
			wire.Op("AssumeRole", s.assumeRole),
			wire.Op("GetAccessKeyInfo", s.getAccessKeyInfo),
			wire.Op("GetCallerIdentity", s.getCallerIdentity),
			wire.Op("GetSessionToken", s.getSessionToken),
		},
	}
}

// Key finds the secret of an access key: one of the root, or one that was
// issued and whose role and root still stand.
func (s *STS) Key(accessKey string) (sigv4.Key, bool) {
	if secret, ok := s.cfg.Keys.Secret(accessKey); ok {
		return sigv4.Key{Secret: secret, Caller: s.root(accessKey)}, true
	}
	c, ok := s.issued.Get(accessKey)
	if !ok || !s.stands(c) {
		return sigv4.Key{}, false
	}
	return sigv4.Key{Secret: c.Secret, Token: c.Token, Expires: c.Expires, Caller: wire.Caller{
		AccessKey: accessKey, ARN: c.ARN, UserID: c.UserID, Place: s.cfg.Place,
	}}, true
}

func (s *STS) root(accessKey string) wire.Caller {
	return wire.Caller{
		AccessKey: accessKey,
		ARN:       "arn:aws:iam::" + s.cfg.Place.Account + ":root",
		UserID:    s.cfg.Place.Account,
		Place:     s.cfg.Place,
	}
}

// getCallerIdentity answers for every caller.
func (s *STS) getCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	c := wire.CallerFrom(ctx)
	return &sts.GetCallerIdentityOutput{Account: &s.cfg.Place.Account, Arn: &c.ARN, UserId: &c.UserID}, nil
}

// getAccessKeyInfo returns the account of a key. Errors: ValidationError.
func (s *STS) getAccessKeyInfo(_ context.Context, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	var c wire.Checks
	id := c.Text("accessKeyId", in.AccessKeyId, 4, 128)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if _, ok := s.Key(id); !ok {
		return nil, model.Errorf(model.Invalid, "ValidationError", "Invalid Access Key ID.")
	}
	return &sts.GetAccessKeyInfoOutput{Account: aws.String(s.cfg.Place.Account)}, nil
}
