package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cuelabs.dev/go/oci/ociregistry"

	"neargate/internal/model"
)

// code is ECS's for an image that cannot be had.
const code = "CannotPullContainerError"

// maxMessage bounds what is quoted of a registry's own words.
const maxMessage = 500

// maxErrorBytes bounds what is read of an answer that is an error.
const maxErrorBytes = 8 << 10

// lasting is an error that another try would meet again.
type lasting struct{ error }

// Unwrap returns the error itself.
func (e lasting) Unwrap() error { return e.error }

func permanent(err error) error { return lasting{err} }

// refusal is an answer that is no success.
type refusal struct {
	url     string // without its query, which may be a key
	status  int
	message string // the registry's own words; may be ""
	after   time.Duration
}

// Error words the answer as containerd does, which Fargate's agent repeats.
func (r *refusal) Error() string {
	s := fmt.Sprintf("unexpected status code %s: %d %s", r.url, r.status, http.StatusText(r.status))
	if r.message != "" {
		s += " - Server message: " + r.message
	}
	return s
}

// passes reports whether the answer may be another one soon.
func (r *refusal) passes() bool {
	return r.status == http.StatusTooManyRequests || r.status == http.StatusRequestTimeout || r.status >= 500
}

// refused reads an answer that is no success.
func refused(resp *http.Response) *refusal {
	r := &refusal{url: plainURL(resp.Request.URL), status: resp.StatusCode}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes)) // a part is better than nothing
	var wire ociregistry.WireErrors
	if json.Unmarshal(data, &wire) == nil && len(wire.Errors) > 0 {
		code := strings.ToLower(strings.ReplaceAll(wire.Errors[0].Code_, "_", ""))
		r.message = clean(code + ": " + wire.Errors[0].Message)
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		r.after = time.Duration(min(s, int(24*time.Hour/time.Second))) * time.Second
	}
	return r
}

// clean makes one line of a registry's words.
func clean(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "..."
	}
	return s
}

// plainURL is a URL without what may be secret in it.
func plainURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// asked words the error of a request, to first and on to where that redirects,
// which got no answer.
func asked(err error, first string) error {
	u, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	where := first
	if at, perr := url.Parse(u.URL); perr == nil && at.Host != "" {
		where = plainURL(at)
	}
	return fmt.Errorf("failed to do request: %s %q: %w", u.Op, where, u.Err)
}

// again reports whether another try may fare better, and how long to wait at
// least before it.
func (p Patience) again(err error) (after time.Duration, ok bool) {
	if _, last := errors.AsType[lasting](err); last {
		return 0, false
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.after, r.passes() && r.after <= p.RetryAfter
	}
	if h, ok := errors.AsType[ociregistry.HTTPError](err); ok { // of a token server
		return 0, h.StatusCode() == http.StatusTooManyRequests || h.StatusCode() >= 500
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return 0, !d.IsNotFound
	}
	return 0, true
}

// attempt does something until it succeeds, cannot, or has been tried often
// enough. It returns how often it was tried. forward, which may be nil, reports
// whether the last try got on: such tries are not counted.
func (p Patience) attempt(ctx context.Context, do func() error, forward func() bool) (tries int, err error) {
	wait := p.Backoff
	for counted := 1; ; counted++ {
		tries++
		if err = do(); err == nil {
			return tries, nil
		}
		if ctx.Err() != nil {
			return tries, context.Cause(ctx)
		}
		if forward != nil && forward() {
			counted, wait = 0, p.Backoff
		}
		after, ok := p.again(err)
		if !ok || counted >= p.Tries {
			return tries, err
		}
		timer := time.NewTimer(max(wait, after))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return tries, context.Cause(ctx)
		}
		wait *= 2
	}
}

// unresolved is ECS's error for a manifest that cannot be had.
func unresolved(ref string, tries int, err error) error {
	kind := model.Unavailable
	reason := err.Error()
	if r, ok := errors.AsType[*refusal](err); ok {
		switch r.status {
		case http.StatusNotFound:
			kind, reason = model.NotFound, ref+": not found"
		case http.StatusUnauthorized, http.StatusForbidden:
			kind = model.Invalid
			reason = "pull access denied, repository does not exist or may require authorization: " + denial(r)
		}
	}
	return model.Errorf(kind, code, "pull image manifest has been retried %d time(s): failed to resolve ref %s: %s", tries, ref, reason)
}

func denial(r *refusal) string {
	if r.message == "" {
		return "authorization failed: no basic auth credentials"
	}
	return "server message: " + r.message
}

// uncopied is ECS's error for a layer that cannot be had.
func uncopied(tries int, err error) error {
	reason := err.Error()
	if _, ok := errors.AsType[*refusal](err); ok {
		reason = "httpReadSeeker: failed open: " + reason
	}
	return model.Errorf(model.Unavailable, code, "ref pull has been retried %d time(s): failed to copy: %s", tries, reason)
}
