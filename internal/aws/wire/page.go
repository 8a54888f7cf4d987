package wire

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"sort"
)

// Page cuts one page out of items, which are sorted by key: at most limit of
// them, those that follow the item that token stands for. next is the token of
// the page after, "" on the last; ok is false for a token that Page did not
// make. A token stays good when items come and go.
func Page[T any](items []T, key func(T) string, token string, limit int) (page []T, next string, ok bool) {
	if token != "" {
		after, ok := readToken(token)
		if !ok {
			return nil, "", false
		}
		items = items[sort.Search(len(items), func(i int) bool { return key(items[i]) > after }):]
	}
	if limit <= 0 || len(items) <= limit {
		return items, "", true
	}
	page = items[:limit]
	return page, makeToken(key(page[limit-1])), true
}

// makeToken writes a key with its checksum, by which readToken knows a token
// from other text.
func makeToken(key string) string {
	b := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(key)))
	return base64.RawURLEncoding.EncodeToString(append(b, key...))
}

func readToken(token string) (key string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 4 {
		return "", false
	}
	return string(b[4:]), binary.BigEndian.Uint32(b) == crc32.ChecksumIEEE(b[4:])
}
