package elbv2

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
	"neargate/internal/truststore"
)

// addTrustStoreRevocations: codes ValidationError, TrustStoreNotFound,
// RevocationContentNotFound, InvalidRevocationContent,
// TooManyTrustStoreRevocationEntries.
func (s *service) addTrustStoreRevocations(ctx context.Context, in *elb.AddTrustStoreRevocationsInput) (*elb.AddTrustStoreRevocationsOutput, error) {
	found, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	if len(in.RevocationContents) == 0 {
		return nil, invalid("At least one revocation content must be specified")
	}
	var lists [][]byte
	for _, c := range in.RevocationContents {
		if c.RevocationType != "" && c.RevocationType != types.RevocationTypeCrl {
			return nil, invalid("Revocation type '%s' is not valid; the only one is 'CRL'", c.RevocationType)
		}
		missing := model.Errorf(model.NotFound, "RevocationContentNotFound", "The specified revocation file does not exist")
		content, err := s.content(ctx, c.S3Bucket, c.S3Key, truststore.MaxList, missing)
		if err != nil {
			return nil, err
		}
		lists = append(lists, content)
	}
	added, err := s.cfg.TrustStores.Revoke(ctx, found.ARN, lists)
	if err != nil {
		return nil, err
	}
	out := &elb.AddTrustStoreRevocationsOutput{}
	for _, r := range added {
		out.TrustStoreRevocations = append(out.TrustStoreRevocations, types.TrustStoreRevocation{
			TrustStoreArn: aws.String(found.ARN), RevocationId: aws.Int64(r.ID), RevocationType: types.RevocationTypeCrl,
			NumberOfRevokedEntries: aws.Int64(int64(r.Count)),
		})
	}
	return out, nil
}

// describeTrustStoreRevocations: codes ValidationError, TrustStoreNotFound,
// RevocationIdNotFound.
func (s *service) describeTrustStoreRevocations(_ context.Context, in *elb.DescribeTrustStoreRevocationsInput) (*elb.DescribeTrustStoreRevocationsOutput, error) {
	found, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	for _, id := range in.RevocationIds {
		if !slices.ContainsFunc(found.Revoked, func(r truststore.Revocations) bool { return r.ID == id }) {
			return nil, truststore.NoRevocations(id)
		}
	}
	wanted := slices.DeleteFunc(slices.Clone(found.Revoked), func(r truststore.Revocations) bool {
		return len(in.RevocationIds) > 0 && !slices.Contains(in.RevocationIds, r.ID)
	})
	shown, next, err := page(wanted, func(r truststore.Revocations) string { return fmt.Sprintf("%020d", r.ID) }, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTrustStoreRevocationsOutput{TrustStoreRevocations: []types.DescribeTrustStoreRevocation{}, NextMarker: next}
	for _, r := range shown {
		out.TrustStoreRevocations = append(out.TrustStoreRevocations, types.DescribeTrustStoreRevocation{
			TrustStoreArn: aws.String(found.ARN), RevocationId: aws.Int64(r.ID), RevocationType: types.RevocationTypeCrl,
			NumberOfRevokedEntries: aws.Int64(int64(r.Count)),
		})
	}
	return out, nil
}

// removeTrustStoreRevocations: codes ValidationError, TrustStoreNotFound,
// RevocationIdNotFound.
func (s *service) removeTrustStoreRevocations(ctx context.Context, in *elb.RemoveTrustStoreRevocationsInput) (*elb.RemoveTrustStoreRevocationsOutput, error) {
	found, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	if len(in.RevocationIds) == 0 {
		return nil, invalid("At least one revocation ID must be specified")
	}
	return &elb.RemoveTrustStoreRevocationsOutput{}, s.cfg.TrustStores.Reinstate(ctx, found.ARN, in.RevocationIds)
}
