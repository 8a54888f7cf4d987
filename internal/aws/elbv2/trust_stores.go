package elbv2

import (
	"context"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
	"neargate/internal/truststore"
)

// createTrustStore: codes ValidationError, CaCertificatesBundleNotFound,
// InvalidCaCertificatesBundle, DuplicateTrustStoreName, TooManyTrustStores,
// TooManyTags, DuplicateTagKeys.
func (s *service) createTrustStore(ctx context.Context, in *elb.CreateTrustStoreInput) (*elb.CreateTrustStoreOutput, error) {
	name, err := required("name", in.Name)
	if err != nil {
		return nil, err
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$`).MatchString(name) {
		return nil, invalid("The trust store name '%s' is not valid: it must have 1 to 32 letters, digits and hyphens, with no hyphen at either end", name[:min(len(name), 64)])
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	bundle, err := s.bundle(ctx, in.CaCertificatesBundleS3Bucket, in.CaCertificatesBundleS3Key)
	if err != nil {
		return nil, err
	}
	made, err := s.cfg.TrustStores.Create(ctx, name, bundle, tags)
	if err != nil {
		return nil, err
	}
	return &elb.CreateTrustStoreOutput{TrustStores: []types.TrustStore{showTrustStore(made)}}, nil
}

// bundle reads authorities from a bucket. ValidationError,
// CaCertificatesBundleNotFound.
func (s *service) bundle(ctx context.Context, bucket, key *string) ([]byte, error) {
	notFound := model.Errorf(model.NotFound, "CaCertificatesBundleNotFound", "The specified ca certificate bundle does not exist")
	return s.content(ctx, bucket, key, truststore.MaxBundle, notFound)
}

// content reads an object; missing is the error where there is none.
func (s *service) content(ctx context.Context, bucket, key *string, limit int64, missing *model.Error) ([]byte, error) {
	b, err := required("s3Bucket", bucket)
	if err != nil {
		return nil, err
	}
	k, err := required("s3Key", key)
	if err != nil {
		return nil, err
	}
	content, err := s.cfg.Objects.File(ctx, b, k, limit)
	switch model.KindOf(err) {
	case model.NotFound, model.Invalid:
		missing.Err = err
		return nil, missing
	case model.TooLarge:
		return nil, invalid("%s", model.Message(err))
	default:
		return []byte(content), err
	}
}

func showTrustStore(t truststore.TrustStore) types.TrustStore {
	return types.TrustStore{
		Name: aws.String(t.Name), TrustStoreArn: aws.String(t.ARN), Status: types.TrustStoreStatusActive,
		NumberOfCaCertificates: aws.Int32(int32(t.Count)), TotalRevokedEntries: aws.Int64(int64(t.Total())),
	}
}

// trustStore returns the one that a call names. ValidationError,
// TrustStoreNotFound.
func (s *service) trustStore(v *string) (truststore.TrustStore, error) {
	arn, err := required("trustStoreArn", v)
	if err != nil {
		return truststore.TrustStore{}, err
	}
	if s.cfg.TrustStores != nil {
		if found, ok := s.cfg.TrustStores.Get(arn); ok {
			return found, nil
		}
	}
	return truststore.TrustStore{}, truststore.NotFound(arn)
}

// modifyTrustStore: codes ValidationError, TrustStoreNotFound,
// CaCertificatesBundleNotFound, InvalidCaCertificatesBundle.
func (s *service) modifyTrustStore(ctx context.Context, in *elb.ModifyTrustStoreInput) (*elb.ModifyTrustStoreOutput, error) {
	found, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	bundle, err := s.bundle(ctx, in.CaCertificatesBundleS3Bucket, in.CaCertificatesBundleS3Key)
	if err != nil {
		return nil, err
	}
	made, err := s.cfg.TrustStores.Replace(ctx, found.ARN, bundle)
	if err != nil {
		return nil, err
	}
	return &elb.ModifyTrustStoreOutput{TrustStores: []types.TrustStore{showTrustStore(made)}}, nil
}

// deleteTrustStore: codes ValidationError, TrustStoreNotFound, TrustStoreInUse.
func (s *service) deleteTrustStore(ctx context.Context, in *elb.DeleteTrustStoreInput) (*elb.DeleteTrustStoreOutput, error) {
	found, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	return &elb.DeleteTrustStoreOutput{}, s.cfg.TrustStores.Delete(ctx, found.ARN)
}

// describeTrustStores: codes ValidationError, TrustStoreNotFound.
func (s *service) describeTrustStores(_ context.Context, in *elb.DescribeTrustStoresInput) (*elb.DescribeTrustStoresOutput, error) {
	if len(in.Names) > 0 && len(in.TrustStoreArns) > 0 {
		return nil, invalid("Names and trust store ARNs cannot be specified at the same time")
	}
	all := s.cfg.TrustStores.List()
	for _, arn := range in.TrustStoreArns {
		if !slices.ContainsFunc(all, func(t truststore.TrustStore) bool { return t.ARN == arn }) {
			return nil, truststore.NotFound(arn)
		}
	}
	for _, name := range in.Names {
		if !slices.ContainsFunc(all, func(t truststore.TrustStore) bool { return t.Name == name }) {
			return nil, model.Errorf(model.NotFound, "TrustStoreNotFound", "One or more trust stores not found")
		}
	}
	all = slices.DeleteFunc(all, func(t truststore.TrustStore) bool {
		return len(in.TrustStoreArns) > 0 && !slices.Contains(in.TrustStoreArns, t.ARN) || len(in.Names) > 0 && !slices.Contains(in.Names, t.Name)
	})
	shown, next, err := page(all, func(t truststore.TrustStore) string { return t.ARN }, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTrustStoresOutput{TrustStores: []types.TrustStore{}, NextMarker: next}
	for _, t := range shown {
		out.TrustStores = append(out.TrustStores, showTrustStore(t))
	}
	return out, nil
}

// describeTrustStoreAssociations: codes ValidationError, TrustStoreNotFound.
func (s *service) describeTrustStoreAssociations(_ context.Context, in *elb.DescribeTrustStoreAssociationsInput) (*elb.DescribeTrustStoreAssociationsOutput, error) {
	found, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	shown, next, err := page(s.cfg.TrustStores.Users(found.ARN), func(arn string) string { return arn }, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTrustStoreAssociationsOutput{TrustStoreAssociations: []types.TrustStoreAssociation{}, NextMarker: next}
	for _, arn := range shown {
		out.TrustStoreAssociations = append(out.TrustStoreAssociations, types.TrustStoreAssociation{ResourceArn: aws.String(arn)})
	}
	return out, nil
}

// retagTrustStore changes the tags of a trust store.
func (s *service) retagTrustStore(ctx context.Context, arn string, change func([]model.Tag) ([]model.Tag, error)) error {
	_, err := s.cfg.TrustStores.Change(ctx, arn, func(t *truststore.TrustStore) (err error) {
		t.Tags, err = change(t.Tags)
		return err
	})
	return err
}
