package elbv2_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/aws/elbv2"
	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/truststore"
)

// bucket has objects by their keys.
type bucket map[string]string

func (b bucket) File(_ context.Context, name, key string, _ int64) (string, error) {
	if content, ok := b[name+"/"+key]; ok {
		return content, nil
	}
	return "", model.Errorf(model.NotFound, "NoSuchKey", "no %s", key)
}

// trustStores is a balancer's trust stores without a balancer.
type trustStores struct{ *truststore.TrustStores }

func (t trustStores) Trusted(arn string) (*x509.CertPool, func(*x509.Certificate) bool, error) {
	trust, err := t.Trust(arn)
	if err != nil {
		return nil, nil, err
	}
	return trust.Pool(), trust.Revoked, nil
}

// dialTrusting returns a client of a face with trust stores, over objects of an
// authority: ca.pem, crl.pem and bad.pem of the bucket b.
func dialTrusting(t *testing.T) *elb.Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SubjectKeyId: []byte("key"),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: time.Now()}},
	}, template, key)
	if err != nil {
		t.Fatal(err)
	}
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	stores, err := truststore.Open(db, truststore.Config{Place: place})
	if err != nil {
		t.Fatal(err)
	}
	cfg := shelf(t, "one")
	cfg.TrustStores = trustStores{stores}
	return dialWith(t, elbv2.Config{Place: place, TrustStores: stores, Objects: bucket{
		"b/ca.pem": ca, "b/two.pem": ca + ca, "b/bad.pem": "x", "b/crl.pem": string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl})),
	}}, cfg)
}

func TestTrustStores(t *testing.T) {
	c, ctx := dialTrusting(t), t.Context()
	create := func(name, key string) (*elb.CreateTrustStoreOutput, error) {
		return c.CreateTrustStore(ctx, &elb.CreateTrustStoreInput{
			Name: &name, CaCertificatesBundleS3Bucket: aws.String("b"), CaCertificatesBundleS3Key: &key, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
		})
	}
	made := must[*elb.CreateTrustStoreOutput](t)(create("clients", "ca.pem")).TrustStores[0]
	if made.Status != types.TrustStoreStatusActive || *made.NumberOfCaCertificates != 1 || *made.TotalRevokedEntries != 0 {
		t.Errorf("made %+v", made)
	}
	for want, try := range map[string]func() (*elb.CreateTrustStoreOutput, error){
		"DuplicateTrustStoreName":      func() (*elb.CreateTrustStoreOutput, error) { return create("clients", "ca.pem") },
		"CaCertificatesBundleNotFound": func() (*elb.CreateTrustStoreOutput, error) { return create("others", "gone.pem") },
		"InvalidCaCertificatesBundle":  func() (*elb.CreateTrustStoreOutput, error) { return create("others", "bad.pem") },
		"ValidationError":              func() (*elb.CreateTrustStoreOutput, error) { return create("-", "ca.pem") },
	} {
		if _, err := try(); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	arn := made.TrustStoreArn
	changed := must[*elb.ModifyTrustStoreOutput](t)(c.ModifyTrustStore(ctx, &elb.ModifyTrustStoreInput{
		TrustStoreArn: arn, CaCertificatesBundleS3Bucket: aws.String("b"), CaCertificatesBundleS3Key: aws.String("two.pem"),
	})).TrustStores[0]
	if *changed.NumberOfCaCertificates != 2 {
		t.Errorf("changed to %+v", changed)
	}
	content := []types.RevocationContent{{S3Bucket: aws.String("b"), S3Key: aws.String("crl.pem"), RevocationType: types.RevocationTypeCrl}}
	added := must[*elb.AddTrustStoreRevocationsOutput](t)(c.AddTrustStoreRevocations(ctx, &elb.AddTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationContents: content}))
	id := *added.TrustStoreRevocations[0].RevocationId
	shown := must[*elb.DescribeTrustStoreRevocationsOutput](t)(c.DescribeTrustStoreRevocations(ctx, &elb.DescribeTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationIds: []int64{id}}))
	if r := shown.TrustStoreRevocations[0]; *r.NumberOfRevokedEntries != 1 || *r.RevocationId != id {
		t.Errorf("revoked %+v", r)
	}
	described := must[*elb.DescribeTrustStoresOutput](t)(c.DescribeTrustStores(ctx, &elb.DescribeTrustStoresInput{Names: []string{"clients"}})).TrustStores
	if len(described) != 1 || *described[0].TotalRevokedEntries != 1 {
		t.Errorf("described %+v", described)
	}
	must[*elb.RemoveTrustStoreRevocationsOutput](t)(c.RemoveTrustStoreRevocations(ctx, &elb.RemoveTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationIds: []int64{id}}))
	tags := must[*elb.DescribeTagsOutput](t)(c.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*arn}})).TagDescriptions[0].Tags
	if len(tags) != 1 {
		t.Errorf("tags %v", tags)
	}
	must[*elb.AddTagsOutput](t)(c.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{*arn}, Tags: []types.Tag{{Key: aws.String("b")}}}))
	content[0].S3Key = aws.String("ca.pem")
	_, bad := c.AddTrustStoreRevocations(ctx, &elb.AddTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationContents: content})
	content[0].S3Key = aws.String("gone.pem")
	_, gone := c.AddTrustStoreRevocations(ctx, &elb.AddTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationContents: content})
	_, unknown := c.DescribeTrustStoreRevocations(ctx, &elb.DescribeTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationIds: []int64{99}})
	_, missing := c.DescribeTrustStores(ctx, &elb.DescribeTrustStoresInput{TrustStoreArns: []string{"gone"}})
	for want, err := range map[string]error{
		"InvalidRevocationContent": bad, "RevocationContentNotFound": gone, "RevocationIdNotFound": unknown, "TrustStoreNotFound": missing,
	} {
		if code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	must[*elb.DeleteTrustStoreOutput](t)(c.DeleteTrustStore(ctx, &elb.DeleteTrustStoreInput{TrustStoreArn: arn}))
	if _, err := c.DeleteTrustStore(ctx, &elb.DeleteTrustStoreInput{TrustStoreArn: arn}); code(err) != "TrustStoreNotFound" {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestMutualAuthenticationOfListeners(t *testing.T) {
	c, ctx := dialTrusting(t), t.Context()
	lb := must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("lb"), Subnets: []string{"subnet-1", "subnet-2"}})).LoadBalancers[0]
	store := must[*elb.CreateTrustStoreOutput](t)(c.CreateTrustStore(ctx, &elb.CreateTrustStoreInput{
		Name: aws.String("clients"), CaCertificatesBundleS3Bucket: aws.String("b"), CaCertificatesBundleS3Key: aws.String("ca.pem"),
	})).TrustStores[0].TrustStoreArn
	input := func(m *types.MutualAuthenticationAttributes) *elb.CreateListenerInput {
		return &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Protocol: types.ProtocolEnumHttps, Port: freePort(t), Certificates: []types.Certificate{{CertificateArn: aws.String("one")}},
			DefaultActions: fixed("200", "x"), MutualAuthentication: m,
		}
	}
	for name, row := range map[string]struct {
		in   types.MutualAuthenticationAttributes
		code string
	}{
		"no mode":                   {types.MutualAuthenticationAttributes{TrustStoreArn: store}, "ValidationError"},
		"no such mode":              {types.MutualAuthenticationAttributes{Mode: aws.String("on")}, "ValidationError"},
		"verify by nothing":         {types.MutualAuthenticationAttributes{Mode: aws.String("verify")}, "ValidationError"},
		"verify by what is gone":    {types.MutualAuthenticationAttributes{Mode: aws.String("verify"), TrustStoreArn: aws.String("gone")}, "TrustStoreNotFound"},
		"passthrough with a store":  {types.MutualAuthenticationAttributes{Mode: aws.String("passthrough"), TrustStoreArn: store}, "ValidationError"},
		"passthrough, expired ones": {types.MutualAuthenticationAttributes{Mode: aws.String("passthrough"), IgnoreClientCertificateExpiry: aws.Bool(true)}, "ValidationError"},
		"off, with names":           {types.MutualAuthenticationAttributes{Mode: aws.String("off"), AdvertiseTrustStoreCaNames: "on"}, "ValidationError"},
	} {
		if _, err := c.CreateListener(ctx, input(&row.in)); code(err) != row.code {
			t.Errorf("%s: got %v, want %s", name, err, row.code)
		}
	}
	l := must[*elb.CreateListenerOutput](t)(c.CreateListener(ctx, input(&types.MutualAuthenticationAttributes{
		Mode: aws.String("verify"), TrustStoreArn: store, IgnoreClientCertificateExpiry: aws.Bool(true), AdvertiseTrustStoreCaNames: "on",
	}))).Listeners[0]
	if m := l.MutualAuthentication; *m.Mode != "verify" || *m.TrustStoreArn != *store || !*m.IgnoreClientCertificateExpiry || m.AdvertiseTrustStoreCaNames != "on" {
		t.Errorf("created with %+v", m)
	}
	kept := must[*elb.ModifyListenerOutput](t)(c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: l.ListenerArn, Port: freePort(t)})).Listeners[0]
	if *kept.MutualAuthentication.Mode != "verify" {
		t.Errorf("another port changed it to %+v", kept.MutualAuthentication)
	}
	off := must[*elb.ModifyListenerOutput](t)(c.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn: l.ListenerArn, MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("off")},
	})).Listeners[0]
	if *off.MutualAuthentication.Mode != "off" || off.MutualAuthentication.TrustStoreArn != nil {
		t.Errorf("switched off: %+v", off.MutualAuthentication)
	}
}
