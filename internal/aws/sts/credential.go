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
)

// credential is one set of temporary credentials, by access key.
type credential struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
	ARN, UserID              string // of the caller that signs with it
}

// remember is how long an expired credential is told from an unknown one.
const remember = 24 * time.Hour

// issue makes credentials for a caller and keeps them.
func (s *STS) issue(ctx context.Context, arn, userID string, lives time.Duration) (*types.Credentials, error) {
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	c := credential{
		AccessKey: "ASIA" + base32.StdEncoding.EncodeToString(random(10)),
		Secret:    base64.StdEncoding.EncodeToString(random(30)),
		Token:     base64.StdEncoding.EncodeToString(random(132)),
		Expires:   s.cfg.Now().Add(lives).UTC().Truncate(time.Second),
		ARN:       arn,
		UserID:    userID,
	}
	if err := s.issued.Put(ctx, c.AccessKey, c); err != nil {
		return nil, fmt.Errorf("keep credentials: %w", err)
	}
	return &types.Credentials{
		AccessKeyId: aws.String(c.AccessKey), SecretAccessKey: aws.String(c.Secret),
		SessionToken: aws.String(c.Token), Expiration: aws.Time(c.Expires),
	}, nil
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
