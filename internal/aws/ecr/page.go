package ecr

import (
	"encoding/base64"
	"strconv"

	"neargate/internal/model"
)

// page cuts one page out of all items, by a token that says where it begins.
// A nil next says that it is the last.
func page[T any](all []T, token *string, limit *int32, defaultLimit, maxLimit int) (items []T, next *string, err error) {
	n := defaultLimit
	if limit != nil {
		if n = int(*limit); n < 1 || n > maxLimit {
			return nil, nil, invalid("maxResults", "must be between 1 and "+strconv.Itoa(maxLimit))
		}
	}
	from := 0
	if token != nil {
		raw, derr := base64.StdEncoding.DecodeString(*token)
		if from, err = strconv.Atoi(string(raw)); derr != nil || err != nil || from < 0 {
			return nil, nil, model.Errorf(model.Invalid, "InvalidParameterException", "Invalid parameter at 'nextToken'")
		}
	}
	from = min(from, len(all))
	to := min(from+n, len(all))
	if to < len(all) {
		t := base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(to)))
		next = &t
	}
	return all[from:to], next, nil
}
