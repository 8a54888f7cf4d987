package sts

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"neargate/internal/aws/wire"
)

// credential is one set of temporary credentials, by access key.
type credential struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
	ARN, UserID              string // of the caller that signs with it
	Root                     string // the root's access key at the start of the chain
	Role, RoleID             string // of a role's session, else ""
}

// remember is how long an expired credential is known, as such and by Lives.
const remember = 24 * time.Hour

// issue completes and keeps the credentials of a caller, for which by asks.
func (s *STS) issue(ctx context.Context, by wire.Caller, c credential, lives time.Duration) (*types.Credentials, error) {
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	c.AccessKey = "ASIA" + base32.StdEncoding.EncodeToString(random(10))
	c.Secret = base64.StdEncoding.EncodeToString(random(30))
	c.Token = base64.StdEncoding.EncodeToString(random(132))
	c.Expires = s.cfg.Now().Add(lives).UTC().Truncate(time.Second)
	c.Root = by.AccessKey
	if parent, ok := s.issued.Get(by.AccessKey); ok {
		c.Root = parent.Root
	}
	if err := s.issued.Put(ctx, c.AccessKey, c); err != nil {
		return nil, fmt.Errorf("keep credentials: %w", err)
	}
	return &types.Credentials{
		AccessKeyId: aws.String(c.AccessKey), SecretAccessKey: aws.String(c.Secret),
		SessionToken: aws.String(c.Token), Expiration: aws.Time(c.Expires),
	}, nil
}

// stands reports whether what the credentials were issued for still is there:
// the role, and the root's key from which they descend. AWS lets a role's
// session outlive the key that asked for it; here that key is the whole
// account, and taking it back has to take back what it lent.
func (s *STS) stands(c credential) bool {
	_, root := s.cfg.Keys.Secret(c.Root)
	return root && (c.RoleID == "" || s.roles.HasRole(c.Role, c.RoleID))
}

// Lives reports whether an access key, of the root or issued, is of somebody
// who still is there, even if it has expired since: a registry password lives
// for 12 hours, however short the session that asked for it.
func (s *STS) Lives(accessKey string) bool {
	if _, ok := s.cfg.Keys.Secret(accessKey); ok {
		return true
	}
	c, ok := s.issued.Get(accessKey)
	return ok && s.stands(c)
}

// sweep forgets what expired long ago.
func (s *STS) sweep(ctx context.Context) error {
	old := s.cfg.Now().Add(-remember)
	for _, c := range s.issued.List("") {
		if c.Expires.After(old) {
			continue
		}
		if _, err := s.issued.Delete(ctx, c.AccessKey); err != nil {
			return fmt.Errorf("forget credentials: %w", err)
		}
	}
	return nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
