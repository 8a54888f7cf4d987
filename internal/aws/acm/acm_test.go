package acm_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/smithy-go"
)

func (r *rig) request(t *testing.T, name string, change ...func(*sdk.RequestCertificateInput)) string {
	t.Helper()
	in := &sdk.RequestCertificateInput{DomainName: aws.String(name), ValidationMethod: types.ValidationMethodDns}
	for _, c := range change {
		c(in)
	}
	return *must[*sdk.RequestCertificateOutput](t)(r.RequestCertificate(t.Context(), in)).CertificateArn
}

func (r *rig) describe(t *testing.T, arn string) types.CertificateDetail {
	t.Helper()
	return *must[*sdk.DescribeCertificateOutput](t)(r.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: &arn})).Certificate
}

func TestRequested(t *testing.T) {
	r := newRig(t)
	arn := r.request(t, "shop.example.test", func(in *sdk.RequestCertificateInput) {
		in.SubjectAlternativeNames = []string{"*.shop.example.test", "shop.example.test"}
	})
	d := r.describe(t, arn)
	if d.Status != types.CertificateStatusIssued || d.Type != types.CertificateTypeAmazonIssued || d.KeyAlgorithm != types.KeyAlgorithmRsa2048 ||
		*d.DomainName != "shop.example.test" || !slices.Equal(d.SubjectAlternativeNames, []string{"shop.example.test", "*.shop.example.test"}) ||
		d.RenewalEligibility != types.RenewalEligibilityIneligible || *d.SignatureAlgorithm != "SHA256WITHECDSA" || *d.Subject != "CN=shop.example.test" ||
		d.NotAfter.Sub(*d.IssuedAt).Round(24*time.Hour) != 198*24*time.Hour || d.Options.Export != types.CertificateExportDisabled {
		t.Errorf("got %+v", d)
	}
	first, second := d.DomainValidationOptions[0], d.DomainValidationOptions[1]
	if first.ValidationStatus != types.DomainStatusSuccess || first.ResourceRecord.Type != types.RecordTypeCname ||
		!strings.HasSuffix(*first.ResourceRecord.Name, ".shop.example.test.") || !strings.HasSuffix(*first.ResourceRecord.Value, ".acm-validations.aws.") ||
		*first.ResourceRecord != *second.ResourceRecord && *first.ResourceRecord.Name != *second.ResourceRecord.Name {
		t.Errorf("validated by %+v and %+v", first.ResourceRecord, second.ResourceRecord)
	}
	r.shown = arn
	if d := r.describe(t, arn); len(d.InUseBy) != 1 || d.RenewalEligibility != types.RenewalEligibilityEligible {
		t.Errorf("shown by a load balancer: %v, %v", d.InUseBy, d.RenewalEligibility)
	}
	got := must[*sdk.GetCertificateOutput](t)(r.GetCertificate(t.Context(), &sdk.GetCertificateInput{CertificateArn: &arn}))
	if *got.CertificateChain != string(r.authority.Root()) || strings.Count(*got.Certificate, "BEGIN") != 1 {
		t.Errorf("got %v", got)
	}
	must[*sdk.RenewCertificateOutput](t)(r.RenewCertificate(t.Context(), &sdk.RenewCertificateInput{CertificateArn: &arn}))
	if renewed := r.describe(t, arn); *renewed.Serial == *d.Serial || renewed.RenewalSummary.RenewalStatus != types.RenewalStatusSuccess {
		t.Errorf("renewed: %+v", renewed.RenewalSummary)
	}
	if _, err := r.DeleteCertificate(t.Context(), &sdk.DeleteCertificateInput{CertificateArn: &arn}); code(err) != "ResourceInUseException" {
		t.Errorf("deleted while it is shown: %v", err)
	}
	r.shown = ""
	must[*sdk.DeleteCertificateOutput](t)(r.DeleteCertificate(t.Context(), &sdk.DeleteCertificateInput{CertificateArn: &arn}))
	if _, err := r.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: &arn}); code(err) != "ResourceNotFoundException" {
		t.Errorf("after its end: %v", err)
	}
}

func TestValidatedByMail(t *testing.T) {
	r := newRig(t)
	arn := r.request(t, "www.example.test", func(in *sdk.RequestCertificateInput) {
		in.ValidationMethod = types.ValidationMethodEmail
		in.DomainValidationOptions = []types.DomainValidationOption{{DomainName: aws.String("www.example.test"), ValidationDomain: aws.String("example.test")}}
	})
	v := r.describe(t, arn).DomainValidationOptions[0]
	if *v.ValidationDomain != "example.test" || !slices.Contains(v.ValidationEmails, "admin@example.test") || v.ResourceRecord != nil {
		t.Errorf("got %+v", v)
	}
	_, err := r.RequestCertificate(t.Context(), &sdk.RequestCertificateInput{
		DomainName:              aws.String("www.example.test"),
		DomainValidationOptions: []types.DomainValidationOption{{DomainName: aws.String("www.example.test"), ValidationDomain: aws.String("ample.test")}},
	})
	if code(err) != "InvalidDomainValidationOptionsException" {
		t.Errorf("a domain that is not above: %v", err)
	}
}

func TestImported(t *testing.T) {
	r := newRig(t)
	cert, key, err := r.authority.Issue([]string{"www.test", "192.0.2.1"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	in := &sdk.ImportCertificateInput{
		Certificate: cert, PrivateKey: key, CertificateChain: r.authority.Root(), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	}
	arn := must[*sdk.ImportCertificateOutput](t)(r.ImportCertificate(t.Context(), in)).CertificateArn
	d := r.describe(t, *arn)
	if d.Type != types.CertificateTypeImported || d.ImportedAt == nil || d.IssuedAt != nil || d.KeyAlgorithm != types.KeyAlgorithmEcPrime256v1 ||
		d.DomainValidationOptions != nil || *d.DomainName != "www.test" || d.RenewalEligibility != types.RenewalEligibilityIneligible || len(d.ExtendedKeyUsages) != 1 {
		t.Errorf("got %+v", d)
	}
	in.CertificateArn = arn
	if _, err := r.ImportCertificate(t.Context(), in); code(err) != "ValidationException" {
		t.Errorf("again, with tags: %v", err)
	}
	in.Tags = nil
	again := must[*sdk.ImportCertificateOutput](t)(r.ImportCertificate(t.Context(), in))
	tags := must[*sdk.ListTagsForCertificateOutput](t)(r.ListTagsForCertificate(t.Context(), &sdk.ListTagsForCertificateInput{CertificateArn: arn})).Tags
	if *again.CertificateArn != *arn || len(tags) != 1 {
		t.Errorf("again: %s with %v", *again.CertificateArn, tags)
	}
	if _, err := r.RenewCertificate(t.Context(), &sdk.RenewCertificateInput{CertificateArn: arn}); code(err) != "ValidationException" {
		t.Errorf("renewed: %v", err)
	}
	requested := r.request(t, "other.test")
	in.CertificateArn = &requested
	if _, err := r.ImportCertificate(t.Context(), in); code(err) != "ValidationException" {
		t.Errorf("over a requested one: %v", err)
	}
}

// No error tells of a private key, whatever is wrong with it.
func TestKeysAreNotInErrors(t *testing.T) {
	r := newRig(t)
	cert, key, err := r.authority.Issue([]string{"www.test"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := r.authority.Issue([]string{"www.test"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Split(string(key), "\n")[1]
	for name, in := range map[string]*sdk.ImportCertificateInput{
		"as the certificate": {Certificate: key, PrivateKey: key},
		"as the chain":       {Certificate: cert, PrivateKey: key, CertificateChain: key},
		"of another":         {Certificate: other, PrivateKey: key},
		"cut off":            {Certificate: cert, PrivateKey: key[:len(key)/2]},
	} {
		_, err := r.ImportCertificate(t.Context(), in)
		e, ok := errors.AsType[smithy.APIError](err)
		if !ok || e.ErrorCode() != "ValidationException" || strings.Contains(e.ErrorMessage(), body[:16]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImportsInParallel(t *testing.T) {
	r := newRig(t)
	cert, key, err := r.authority.Issue([]string{"www.test"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	arn := must[*sdk.ImportCertificateOutput](t)(r.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: cert, PrivateKey: key})).CertificateArn
	var all sync.WaitGroup
	for range 8 {
		next, nextKey, err := r.authority.Issue([]string{"www.test"}, time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if _, err := r.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{CertificateArn: arn, Certificate: next, PrivateKey: nextKey}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := r.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: cert, PrivateKey: key}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list := must[*sdk.ListCertificatesOutput](t)(r.ListCertificates(t.Context(), &sdk.ListCertificatesInput{Includes: &types.Filters{KeyTypes: []types.KeyAlgorithm{"EC_prime256v1"}}}))
	if n := len(list.CertificateSummaryList); n != 9 {
		t.Errorf("there are %d, want the first and eight beside it", n)
	}
}

func TestList(t *testing.T) {
	r := newRig(t)
	var made []string
	for i := range 5 {
		made = append(made, r.request(t, fmt.Sprintf("n%d.test", i)))
	}
	ec := r.request(t, "ec.test", func(in *sdk.RequestCertificateInput) { in.KeyAlgorithm = types.KeyAlgorithmEcSecp384r1 })
	list := func(in sdk.ListCertificatesInput) (arns []string) {
		t.Helper()
		pages := sdk.NewListCertificatesPaginator(r.Client, &in)
		for pages.HasMorePages() {
			page := must[*sdk.ListCertificatesOutput](t)(pages.NextPage(t.Context()))
			for _, c := range page.CertificateSummaryList {
				arns = append(arns, *c.CertificateArn)
			}
		}
		return arns
	}
	down := slices.Clone(made)
	slices.Reverse(down)
	for name, row := range map[string]struct {
		in   sdk.ListCertificatesInput
		want []string
	}{
		"as AWS has it": {sdk.ListCertificatesInput{}, down},
		"by twos":       {sdk.ListCertificatesInput{MaxItems: aws.Int32(2)}, down},
		"oldest first":  {sdk.ListCertificatesInput{SortBy: types.SortByCreatedAt, SortOrder: types.SortOrderAscending}, made},
		"of P-384":      {sdk.ListCertificatesInput{Includes: &types.Filters{KeyTypes: []types.KeyAlgorithm{types.KeyAlgorithmEcSecp384r1}}}, []string{ec}},
		"expired":       {sdk.ListCertificatesInput{CertificateStatuses: []types.CertificateStatus{types.CertificateStatusExpired}}, nil},
		"for servers": {sdk.ListCertificatesInput{Includes: &types.Filters{
			ExtendedKeyUsage: []types.ExtendedKeyUsageName{types.ExtendedKeyUsageNameTlsWebServerAuthentication},
			KeyUsage:         []types.KeyUsageName{types.KeyUsageNameDigitalSignature},
		}}, down},
		"for code": {sdk.ListCertificatesInput{Includes: &types.Filters{ExtendedKeyUsage: []types.ExtendedKeyUsageName{types.ExtendedKeyUsageNameCodeSigning}}}, nil},
	} {
		if got := list(row.in); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, want %v", name, got, row.want)
		}
	}
	for name, in := range map[string]sdk.ListCertificatesInput{
		"an order alone": {SortOrder: types.SortOrderAscending},
		"a status":       {CertificateStatuses: []types.CertificateStatus{"GONE"}},
		"a token":        {NextToken: aws.String("x")},
		"none at all":    {MaxItems: aws.Int32(0)},
	} {
		if _, err := r.ListCertificates(t.Context(), &in); code(err) != "ValidationException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTags(t *testing.T) {
	r := newRig(t)
	arn := r.request(t, "a.test", func(in *sdk.RequestCertificateInput) {
		in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	})
	must[*sdk.AddTagsToCertificateOutput](t)(r.AddTagsToCertificate(t.Context(), &sdk.AddTagsToCertificateInput{
		CertificateArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("2")}, {Key: aws.String("b"), Value: aws.String("3")}, {Key: aws.String("c")}},
	}))
	must[*sdk.RemoveTagsFromCertificateOutput](t)(r.RemoveTagsFromCertificate(t.Context(), &sdk.RemoveTagsFromCertificateInput{
		CertificateArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b")}},
	}))
	must[*sdk.TagResourceOutput](t)(r.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("d"), Value: aws.String("4")}}}))
	must[*sdk.UntagResourceOutput](t)(r.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"c"}}))
	var got []string
	for _, tag := range must[*sdk.ListTagsForResourceOutput](t)(r.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &arn})).Tags {
		got = append(got, *tag.Key+"="+*tag.Value)
	}
	if !slices.Equal(got, []string{"a=2", "d=4"}) {
		t.Errorf("got %v", got)
	}
	many := []types.Tag{}
	for i := range 50 {
		many = append(many, types.Tag{Key: aws.String(fmt.Sprint("k", i))})
	}
	for want, tags := range map[string][]types.Tag{
		"TooManyTagsException": many, "InvalidTagException": {{Key: aws.String("aws:x")}}, "InvalidParameterException": {{Key: aws.String("x")}, {Key: aws.String("x")}},
	} {
		if _, err := r.AddTagsToCertificate(t.Context(), &sdk.AddTagsToCertificateInput{CertificateArn: &arn, Tags: tags}); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestExportedKeyFits(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl, which reads exported keys, is not installed")
	}
	r := newRig(t)
	arn := r.request(t, "a.test", func(in *sdk.RequestCertificateInput) {
		in.Options = &types.CertificateOptions{Export: types.CertificateExportEnabled}
	})
	out := must[*sdk.ExportCertificateOutput](t)(r.ExportCertificate(t.Context(), &sdk.ExportCertificateInput{CertificateArn: &arn, Passphrase: []byte("open sesame")}))
	cmd := exec.CommandContext(t.Context(), openssl, "pkey", "-passin", "pass:open sesame")
	cmd.Stdin = strings.NewReader(*out.PrivateKey)
	key, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl does not read the key: %v", err)
	}
	if _, err := tls.X509KeyPair([]byte(*out.Certificate), key); err != nil {
		t.Error(err)
	}
	if d := r.describe(t, arn); d.RenewalEligibility != types.RenewalEligibilityEligible {
		t.Errorf("exported: %v", d.RenewalEligibility)
	}
	for name, in := range map[string]sdk.ExportCertificateInput{
		"a short passphrase": {CertificateArn: &arn, Passphrase: []byte("abc")},
		"not to be exported": {CertificateArn: aws.String(r.request(t, "b.test")), Passphrase: []byte("abcd")},
	} {
		if _, err := r.ExportCertificate(t.Context(), &in); code(err) != "ValidationException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptions(t *testing.T) {
	r := newRig(t)
	arn := r.request(t, "a.test")
	update := func(o types.CertificateOptions) error {
		_, err := r.UpdateCertificateOptions(t.Context(), &sdk.UpdateCertificateOptionsInput{CertificateArn: &arn, Options: &o})
		return err
	}
	if err := update(types.CertificateOptions{CertificateTransparencyLoggingPreference: "DISABLED"}); err != nil { //nolint:staticcheck // clients still send it
		t.Fatal(err)
	}
	if d := r.describe(t, arn); d.Options.CertificateTransparencyLoggingPreference != "DISABLED" { //nolint:staticcheck // clients still send it
		t.Errorf("got %+v", d.Options)
	}
	if err := update(types.CertificateOptions{Export: "ENABLED"}); code(err) != "ValidationException" {
		t.Errorf("export allowed afterwards: %v", err)
	}
	if got := must[*sdk.GetAccountConfigurationOutput](t)(r.GetAccountConfiguration(t.Context(), nil)); *got.ExpiryEvents.DaysBeforeExpiry != 45 {
		t.Errorf("got %d days", *got.ExpiryEvents.DaysBeforeExpiry)
	}
	must[*sdk.PutAccountConfigurationOutput](t)(r.PutAccountConfiguration(t.Context(), &sdk.PutAccountConfigurationInput{
		IdempotencyToken: aws.String("x"), ExpiryEvents: &types.ExpiryEventsConfiguration{DaysBeforeExpiry: aws.Int32(10)},
	}))
	if got := must[*sdk.GetAccountConfigurationOutput](t)(r.GetAccountConfiguration(t.Context(), nil)); *got.ExpiryEvents.DaysBeforeExpiry != 10 {
		t.Errorf("got %d days", *got.ExpiryEvents.DaysBeforeExpiry)
	}
}

func TestBadCalls(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	describe := func(arn string) error {
		_, err := r.DescribeCertificate(ctx, &sdk.DescribeCertificateInput{CertificateArn: &arn})
		return err
	}
	request := func(change func(*sdk.RequestCertificateInput)) error {
		in := &sdk.RequestCertificateInput{DomainName: aws.String("a.test")}
		change(in)
		_, err := r.RequestCertificate(ctx, in)
		return err
	}
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("n%d.test", i)
	}
	for name, row := range map[string]struct {
		err  error
		code string
	}{
		"no ARN":                  {describe("x"), "ValidationException"},
		"an ARN of another kind":  {describe("arn:aws:elasticloadbalancing:us-east-1:000000000000:x"), "ValidationException"},
		"no certificate's ARN":    {describe("arn:aws:acm:us-east-1:000000000000:certificate"), "InvalidArnException"},
		"an unknown one":          {describe("arn:aws:acm:us-east-1:000000000000:certificate/0"), "ResourceNotFoundException"},
		"one of another region":   {describe("arn:aws:acm:eu-west-1:000000000000:certificate/0"), "ResourceNotFoundException"},
		"NUL":                     {describe("arn:aws:acm:us-east-1:000000000000:certificate/\x00"), "ValidationException"},
		"a name that is none":     {request(func(in *sdk.RequestCertificateInput) { in.DomainName = aws.String("a\x00.test") }), "ValidationException"},
		"10,000 names":            {request(func(in *sdk.RequestCertificateInput) { in.SubjectAlternativeNames = many }), "ValidationException"},
		"a private authority":     {request(func(in *sdk.RequestCertificateInput) { in.CertificateAuthorityArn = aws.String("arn:aws:acm-pca:x") }), "ValidationException"},
		"an algorithm":            {request(func(in *sdk.RequestCertificateInput) { in.KeyAlgorithm = "ED25519" }), "ValidationException"},
		"an algorithm for import": {request(func(in *sdk.RequestCertificateInput) { in.KeyAlgorithm = types.KeyAlgorithmRsa4096 }), "ValidationException"},
		"validation over HTTP":    {request(func(in *sdk.RequestCertificateInput) { in.ValidationMethod = types.ValidationMethodHttp }), "ValidationException"},
		"a long token":            {request(func(in *sdk.RequestCertificateInput) { in.IdempotencyToken = aws.String(strings.Repeat("a", 33)) }), "ValidationException"},
	} {
		if code(row.err) != row.code {
			t.Errorf("%s: got %v, want %s", name, row.err, row.code)
		}
	}
}

// A chain of 5 MB is refused before it is read, and the face goes on.
func TestHugeChain(t *testing.T) {
	r := newRig(t)
	cert, key, err := r.authority.Issue([]string{"www.test"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode(cert); block == nil {
		t.Fatal("no PEM")
	} else if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	_, err = r.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: cert, PrivateKey: key, CertificateChain: bytes.Repeat(cert, 5<<20/len(cert))})
	if err == nil || code(err) == "" {
		t.Errorf("got %v", err)
	}
	r.request(t, "a.test")
}
