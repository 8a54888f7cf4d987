package truststore

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"

	"neargate/internal/model"
)

// The limits of lists of revoked certificates (load-balancer-limits, "Mutual
// TLS"). MaxList is less than AWS's 50 MB: lists are kept in memory.
const (
	MaxList    = 20 << 20
	maxLists   = 30
	maxRevoked = 500_000
)

// Revoke adds lists of revoked certificates, in PEM or DER, and returns them with
// their IDs. Codes: TrustStoreNotFound, InvalidRevocationContent,
// TooManyTrustStoreRevocationEntries.
func (s *TrustStores) Revoke(ctx context.Context, arn string, lists [][]byte) (added []Revocations, err error) {
	for _, content := range lists {
		one, err := readList(content)
		if err != nil {
			return nil, err
		}
		added = append(added, one)
	}
	_, err = s.Change(ctx, arn, func(t *TrustStore) error {
		t.Revoked = slices.Clone(t.Revoked)
		for i := range added {
			added[i].ID = t.NextID
			t.NextID++
			t.Revoked = append(t.Revoked, added[i])
		}
		if len(t.Revoked) > maxLists || t.Total() > maxRevoked {
			return model.Errorf(model.Throttled, "TooManyTrustStoreRevocationEntries",
				"A trust store can have %d revocation lists with %d entries in all", maxLists, maxRevoked)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

// Reinstate removes lists by their IDs. Codes: TrustStoreNotFound,
// RevocationIdNotFound.
func (s *TrustStores) Reinstate(ctx context.Context, arn string, ids []int64) error {
	_, err := s.Change(ctx, arn, func(t *TrustStore) error {
		for _, id := range ids {
			if !slices.ContainsFunc(t.Revoked, func(r Revocations) bool { return r.ID == id }) {
				return NoRevocations(id)
			}
		}
		t.Revoked = slices.DeleteFunc(slices.Clone(t.Revoked), func(r Revocations) bool { return slices.Contains(ids, r.ID) })
		return nil
	})
	return err
}

// NoRevocations is the error of a list that there is not.
func NoRevocations(id int64) error {
	return model.Errorf(model.NotFound, "RevocationIdNotFound", "Revocation '%d' not found", id)
}

func readList(content []byte) (Revocations, error) {
	bad := model.Errorf(model.Invalid, "InvalidRevocationContent", "The provided revocation file is in an invalid format, or uses an incorrect algorithm")
	if len(content) > MaxList {
		return Revocations{}, bad
	}
	der := content
	if block, _ := pem.Decode(content); block != nil {
		der = block.Bytes
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return Revocations{}, bad
	}
	return Revocations{List: der, Count: len(list.RevokedCertificateEntries)}, nil
}
