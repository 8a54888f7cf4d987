package secretsmanager

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
)

// listSecrets: codes ValidationException, InvalidParameterException,
// InvalidNextTokenException.
func (s *service) listSecrets(_ context.Context, in *sdk.ListSecretsInput) (*sdk.ListSecretsOutput, error) {
	var c wire.Checks
	limit := c.Range("maxResults", in.MaxResults, 1, 100, 100)
	c.OneOf("sortOrder", string(in.SortOrder), "asc", "desc")
	c.OneOf("sortBy", string(in.SortBy), "created-date", "last-accessed-date", "last-changed-date", "name")
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	found, next, err := s.list(listing{
		filters: in.Filters, deleted: aws.ToBool(in.IncludePlannedDeletion), by: in.SortBy,
		down:  in.SortOrder == types.SortOrderTypeDesc || in.SortOrder == "" && in.SortBy != types.SortByTypeName,
		token: aws.ToString(in.NextToken), limit: int(limit),
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSecretsOutput{NextToken: text(next), SecretList: []types.SecretListEntry{}}
	for _, secret := range found {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), Description: text(secret.Description), KmsKeyId: text(secret.KMSKeyID),
			CreatedDate: aws.Time(secret.CreatedAt), LastChangedDate: aws.Time(secret.ChangedAt), LastAccessedDate: moment(secret.AccessedAt),
			DeletedDate: moment(secret.DeletedAt), Tags: tagsOf(secret.Tags), SecretVersionsToStages: stages(secret),
		})
	}
	return out, nil
}

// listing is which secrets a call wants, in which order.
type listing struct {
	filters []types.Filter
	deleted bool // those marked for deletion, too
	by      types.SortByType
	down    bool
	token   string
	limit   int
}

// list returns a page of secrets. InvalidParameterException,
// InvalidNextTokenException.
func (s *service) list(l listing) (page []secrets.Secret, next string, err error) {
	var found []secrets.Secret
	for _, secret := range s.secrets.List() {
		wanted := l.deleted || secret.DeletedAt.IsZero()
		for _, f := range l.filters {
			matched, err := matches(secret, f)
			if err != nil {
				return nil, "", err
			}
			wanted = wanted && matched
		}
		if wanted {
			found = append(found, secret)
		}
	}
	slices.SortFunc(found, func(a, b secrets.Secret) int { return strings.Compare(l.key(a), l.key(b)) })
	page, next, ok := wire.Page(found, l.key, l.token, l.limit)
	if !ok {
		return nil, "", errToken()
	}
	return page, next, nil
}

// key is what secrets are sorted by: the newest first, unless asked otherwise.
func (l listing) key(secret secrets.Secret) string {
	at := map[types.SortByType]time.Time{
		types.SortByTypeLastAccessedDate: secret.AccessedAt, types.SortByTypeLastChangedDate: secret.ChangedAt,
	}
	key := []byte(secret.Name + "\x00")
	if l.by != types.SortByTypeName {
		moment, ok := at[l.by]
		if !ok {
			moment = secret.CreatedAt
		}
		key = append([]byte(moments(moment)), key...)
	}
	if l.down {
		for i := range key {
			key[i] = ^key[i]
		}
	}
	return string(key)
}

// moments is a time as text that sorts as times do.
func moments(t time.Time) string { return fmt.Sprintf("%020d/", max(0, t.UnixNano())) }

// matches reports whether a secret has what a filter looks for: values are
// beginnings, "!" before one means the opposite. [API_ListSecrets].
func matches(secret secrets.Secret, f types.Filter) (bool, error) {
	var texts []string
	switch f.Key {
	case types.FilterNameStringTypeName:
		texts = []string{secret.Name}
	case types.FilterNameStringTypeDescription:
		texts = []string{strings.ToLower(secret.Description)}
	case types.FilterNameStringTypeTagKey, types.FilterNameStringTypeTagValue:
		for _, t := range secret.Tags {
			texts = append(texts, map[types.FilterNameStringType]string{types.FilterNameStringTypeTagKey: t.Key, types.FilterNameStringTypeTagValue: t.Value}[f.Key])
		}
	case types.FilterNameStringTypeAll:
		texts = []string{strings.ToLower(secret.Name), strings.ToLower(secret.Description)}
		for _, t := range secret.Tags {
			texts = append(texts, strings.ToLower(t.Key), strings.ToLower(t.Value))
		}
	case types.FilterNameStringTypePrimaryRegion, types.FilterNameStringTypeOwningService:
	default:
		return false, invalid("Invalid filter key '%s'.", f.Key)
	}
	for _, value := range f.Values {
		prefix, not := strings.CutPrefix(value, "!")
		if f.Key == types.FilterNameStringTypeDescription || f.Key == types.FilterNameStringTypeAll {
			prefix = strings.ToLower(prefix)
		}
		if not != slices.ContainsFunc(texts, func(s string) bool { return strings.HasPrefix(s, prefix) }) {
			return true, nil
		}
	}
	return false, nil
}

func errToken() error {
	return model.Errorf(model.Invalid, "InvalidNextTokenException", "Invalid pagination token")
}
