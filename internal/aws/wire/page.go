package wire

import (
	"encoding/base64"
	"sort"
)

// Page cuts one page out of items, which are sorted by key: at most limit of
// them, those that follow the item that token stands for. next is the token of
// the page after, "" on the last; ok is false for a token that Page did not
// make. A token stays good when items come and go.
func Page[T any](items []T, key func(T) string, token string, limit int) (page []T, next string, ok bool) {
	if token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(after) == 0 {
			return nil, "", false
		}
		items = items[sort.Search(len(items), func(i int) bool { return key(items[i]) > string(after) }):]
	}
	if limit <= 0 || len(items) <= limit {
		return items, "", true
	}
	page = items[:limit]
	return page, base64.RawURLEncoding.EncodeToString([]byte(key(page[limit-1]))), true
}
