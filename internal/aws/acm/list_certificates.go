package acm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
)

// listCertificates: codes ValidationException, InvalidArgsException.
func (s *service) listCertificates(_ context.Context, in *sdk.ListCertificatesInput) (*sdk.ListCertificatesOutput, error) {
	var c wire.Checks
	limit := c.Range("maxItems", in.MaxItems, 1, 1000, 1000)
	c.OneOf("sortBy", string(in.SortBy), "CREATED_AT")
	c.OneOf("sortOrder", string(in.SortOrder), "ASCENDING", "DESCENDING")
	for _, status := range in.CertificateStatuses {
		c.OneOf("certificateStatuses", string(status), values(status.Values())...)
	}
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if (in.SortBy == "") != (in.SortOrder == "") {
		return nil, invalid("SortBy and SortOrder must be specified together.")
	}
	wanted := []entry{}
	for _, r := range s.certificates.List() {
		e := entry{r, s.summary(r), in.SortOrder == types.SortOrderAscending}
		if selects(in, e.summary) {
			wanted = append(wanted, e)
		}
	}
	slices.SortFunc(wanted, func(a, b entry) int { return strings.Compare(a.key(), b.key()) })
	page, next, ok := wire.Page(wanted, entry.key, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, invalid("The pagination token is not valid.")
	}
	out := &sdk.ListCertificatesOutput{CertificateSummaryList: []types.CertificateSummary{}, NextToken: text(next)}
	for _, e := range page {
		out.CertificateSummaryList = append(out.CertificateSummaryList, e.summary)
	}
	return out, nil
}

func values[T ~string](in []T) (out []string) {
	for _, v := range in {
		out = append(out, string(v))
	}
	return out
}

// entry is a certificate of a listing.
type entry struct {
	certificate certificates.Certificate
	summary     types.CertificateSummary
	up          bool
}

// key is what a listing is sorted by: the newest first, unless asked otherwise.
func (e entry) key() string {
	key := []byte(fmt.Sprintf("%020d", e.certificate.CreatedAt.UnixNano()))
	if !e.up {
		for i := range key {
			key[i] = ^key[i]
		}
	}
	return string(key) + e.certificate.ARN
}

// summary is a certificate as it stands in a listing.
func (s *service) summary(r certificates.Certificate) types.CertificateSummary {
	inUse := len(s.certificates.Users(r.ARN)) > 0
	names := r.Names()
	out := types.CertificateSummary{
		CertificateArn: aws.String(r.ARN), Type: types.CertificateType(r.Type), Status: types.CertificateStatus(r.Status(time.Now())),
		InUse: aws.Bool(inUse), Exported: aws.Bool(r.Exported), RenewalEligibility: eligibility(r, inUse), CertificateKeyPairOrigin: origin(r),
		ExportOption: types.CertificateExport(r.Request.Export), KeyAlgorithm: types.KeyAlgorithm(r.Request.Algorithm),
		SubjectAlternativeNameSummaries: names[:min(len(names), 100)], HasAdditionalSubjectAlternativeNames: aws.Bool(len(names) > 100),
		CreatedAt: moment(r.CreatedAt), ImportedAt: moment(r.ImportedAt), IssuedAt: moment(r.IssuedAt),
	}
	if len(names) > 0 {
		out.DomainName = aws.String(names[0])
	}
	if leaf := r.Leaf(); leaf != nil {
		out.KeyAlgorithm = types.KeyAlgorithm(certificates.KeyAlgorithm(leaf))
		out.NotBefore, out.NotAfter = aws.Time(leaf.NotBefore), aws.Time(leaf.NotAfter)
		out.KeyUsages = keyUsages(leaf)
		for _, u := range extendedUsages(leaf) {
			out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, u.name)
		}
	}
	return out
}

// selects reports whether a listing is to have a certificate. Without a filter for
// keys AWS lists those of RSA with 1024 or 2048 bits (types.Filters).
func selects(in *sdk.ListCertificatesInput, c types.CertificateSummary) bool {
	var f types.Filters
	if in.Includes != nil {
		f = *in.Includes
	}
	if len(f.KeyTypes) == 0 {
		f.KeyTypes = []types.KeyAlgorithm{types.KeyAlgorithmRsa1024, types.KeyAlgorithmRsa2048}
	}
	return slices.Contains(f.KeyTypes, c.KeyAlgorithm) &&
		within(in.CertificateStatuses, c.Status) && within(in.CertificateKeyPairOrigins, c.CertificateKeyPairOrigin) &&
		(f.ExportOption == "" || f.ExportOption == c.ExportOption) && (f.ManagedBy == "" || f.ManagedBy == c.ManagedBy) &&
		all(f.KeyUsage, c.KeyUsages, types.KeyUsageNameAny) && all(f.ExtendedKeyUsage, c.ExtendedKeyUsages, types.ExtendedKeyUsageNameAny)
}

// within reports whether a value is one of those wanted; without any, all are.
func within[T comparable](wanted []T, v T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, v)
}

// all reports whether what is wanted is there, where one value stands for whatever
// there is.
func all[T comparable](wanted, have []T, whatever T) bool {
	for _, w := range wanted {
		if w != whatever && !slices.Contains(have, w) {
			return false
		}
	}
	return true
}
