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
	"neargate/internal/store"
)

// credential is one set of temporary credentials, by access key.
type credential struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
	ARN, UserID              string // of the caller that signs with it
	Root                     string // the root's access key at the start of the chain, else ""
	Role, RoleID             string // of a role's session, else ""
	Task                     string // CLUSTER/ID of the task at the start of the chain, else ""
}

// remember is how long an expired credential is known, as such and by Lives.
const remember = 24 * time.Hour

// issue completes and keeps credentials, for which by asks, if anybody.
func (s *STS) issue(ctx context.Context, by wire.Caller, c credential, lives time.Duration) (credential, error) {
	c.AccessKey = "ASIA" + base32.StdEncoding.EncodeToString(random(10))
	c.Secret = base64.StdEncoding.EncodeToString(random(30))
	c.Token = base64.StdEncoding.EncodeToString(random(132))
	c.Expires = s.cfg.Now().Add(lives).UTC().Truncate(time.Second)
	c.Root = by.AccessKey
	if parent, ok := s.issued.Get(by.AccessKey); ok {
		c.Root, c.Task = parent.Root, parent.Task
	}
	spent := s.spent()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		issued := s.issued.In(tx)
		for _, key := range spent {
			issued.Delete(key)
		}
		issued.Put(c.AccessKey, c)
		return nil
	})
	if err != nil {
		return c, fmt.Errorf("keep credentials: %w", err)
	}
	if c.Task != "" && by.AccessKey == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.byTask[c.Task] = c.AccessKey
	}
	return c, nil
}

// answer is c in the SDK's form.
func (c credential) answer() *types.Credentials {
	return &types.Credentials{
		AccessKeyId: aws.String(c.AccessKey), SecretAccessKey: aws.String(c.Secret),
		SessionToken: aws.String(c.Token), Expiration: aws.Time(c.Expires),
	}
}

// stands reports whether what the credentials were issued for still is there:
// the role, and the task or the root's key from which they descend. AWS lets a
// role's session outlive both; here that key is the whole account, and taking it
// back has to take back what it lent, and a task that has ended has no business.
func (s *STS) stands(c credential) bool {
	if c.RoleID != "" && !s.roles.HasRole(c.Role, c.RoleID) {
		return false
	}
	if c.Task != "" {
		return s.cfg.TaskLives(c.Task)
	}
	_, root := s.cfg.Keys.Secret(c.Root)
	return root
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

// sweepPause is the least time between two looks for what can be forgotten.
const sweepPause = time.Minute

// spent returns the access keys to forget, once in a while: those that expired
// long ago, and those of tasks that have ended.
func (s *STS) spent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	if now.Sub(s.swept) < sweepPause {
		return nil
	}
	s.swept = now
	var keys []string
	for _, c := range s.issued.List("") {
		over := c.Task != "" && !s.cfg.TaskLives(c.Task)
		if over {
			delete(s.byTask, c.Task)
		}
		if over || !c.Expires.After(now.Add(-remember)) {
			keys = append(keys, c.AccessKey)
		}
	}
	return keys
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
