package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"neargate/internal/aws/wire"
)

// maxPage is the most that a page of any list may have.
const maxPage = 100

// pageRequest is which page a caller asks for.
type pageRequest struct {
	token *string
	limit *int32
	usual int // without a limit
}

// page returns one page of items, sorted by key, and the token of the next.
// InvalidParameterException.
func page[T any](items []T, key func(T) string, req pageRequest) (cut []T, next *string, err error) {
	n := int(deref(req.limit, int32(req.usual)))
	switch {
	case n > maxPage:
		return nil, nil, invalid("Max results can not be greater than %d", maxPage)
	case n < 1:
		return nil, nil, invalid("Max results can not be less than 1")
	}
	cut, after, ok := wire.Page(items, key, aws.ToString(req.token), n)
	if !ok {
		return nil, nil, invalid("Invalid token: %s", aws.ToString(req.token))
	}
	if cut == nil {
		cut = []T{}
	}
	return cut, text(after), nil
}

// self is the key of what is sorted by itself.
func self(s string) string { return s }
