package health

import (
	"errors"
	"strconv"
	"strings"
)

// Why a matcher is not a list of codes and ranges.
var (
	ErrMatcher     = errors.New("matcher must be codes between 200 and 499, as \"200\", \"200,202\" or \"200-299\"")
	ErrGRPCMatcher = errors.New("matcher must be codes between 0 and 99, as \"0\", \"0,12\" or \"0-99\"")
)

// Matches reports whether a status code passes a matcher: codes and ranges,
// separated by commas. "" is "200".
func Matches(matcher string, code int) bool {
	if matcher == "" {
		return code == 200
	}
	for part := range strings.SplitSeq(matcher, ",") {
		if low, high, err := codes(part); err == nil && low <= code && code <= high {
			return true
		}
	}
	return false
}

// CheckMatcher reports whether a matcher is well formed, else ErrMatcher. ELB
// takes codes from 200 to 499.
func CheckMatcher(matcher string) error {
	if !within(matcher, 200, 499) {
		return ErrMatcher
	}
	return nil
}

// CheckGRPCMatcher is CheckMatcher for codes of gRPC, from 0 to 99; else
// ErrGRPCMatcher.
func CheckGRPCMatcher(matcher string) error {
	if !within(matcher, 0, 99) {
		return ErrGRPCMatcher
	}
	return nil
}

// within reports whether a matcher is well formed and has no code beyond bounds.
func within(matcher string, least, most int) bool {
	for part := range strings.SplitSeq(matcher, ",") {
		low, high, err := codes(part)
		if err != nil || low < least || high > most || low > high {
			return false
		}
	}
	return true
}

func codes(part string) (low, high int, err error) {
	from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
	if low, err = strconv.Atoi(from); err != nil || !ranged {
		return low, low, err
	}
	high, err = strconv.Atoi(to)
	return low, high, err
}
