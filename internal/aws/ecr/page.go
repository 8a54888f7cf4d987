package ecr

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"neargate/internal/aws/wire"
)

// maxPage is ECR's limit on maxResults; a page is defaultPage when none is asked.
const (
	defaultPage = 100
	maxPage     = 1000
)

// page cuts one page out of items sorted by key. A nil next means that it is
// the last.
func page[T any](items []T, key func(T) string, token *string, limit *int32) (out []T, next *string, err error) {
	var c wire.Checks
	n := c.Range("maxResults", limit, 1, maxPage, defaultPage)
	if err := c.Err("InvalidParameterException"); err != nil {
		return nil, nil, err
	}
	out, after, ok := wire.Page(items, key, aws.ToString(token), int(n))
	if !ok {
		return nil, nil, invalid("nextToken", "is not a token of this operation")
	}
	if after != "" {
		next = &after
	}
	return out, next, nil
}
