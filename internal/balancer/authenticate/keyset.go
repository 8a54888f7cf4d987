package authenticate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"neargate/internal/decide/authentication"
)

// When keys are fetched: anew after a while, in the background, and where a token
// names one that is not known, but not for each such token.
const (
	keysFresh = 5 * time.Minute
	keysPause = 10 * time.Second
)

// keySet is the keys of one endpoint, as they were fetched last. Those of before
// stay while the endpoint fails.
type keySet struct {
	a   *Authenticator
	url string

	mu      sync.Mutex
	keys    []key                 // nil: never fetched; guarded by mu
	fetched time.Time             // when keys came
	tried   time.Time             // when they were asked for last
	failed  authentication.Reason // of the last try
	running chan struct{}         // closed when the fetch under way ends; nil: there is none
}

// keySet returns the keys of an endpoint, the same for all actions that name it.
func (a *Authenticator) keySet(url string) *keySet {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sets[url]
	if s == nil {
		s = &keySet{a: a, url: url}
		a.sets[url] = s
	}
	return s
}

// Forget drops the keys of endpoints that no action names any more.
func (a *Authenticator) Forget(named func(endpoint string) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for url := range a.sets {
		if !named(url) {
			delete(a.sets, url)
		}
	}
}

// current returns the keys, and begins to fetch them anew where they are old.
func (s *keySet) current() ([]key, authentication.Reason) {
	now := s.a.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.fetched) >= keysFresh {
		s.fetchLocked(now)
	}
	return s.keys, s.failed
}

// renew begins to fetch the keys, unless that was done just now, and returns what to
// wait for; nil where there is nothing.
func (s *keySet) renew() <-chan struct{} {
	now := s.a.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetchLocked(now)
	return s.running
}

func (s *keySet) fetchLocked(now time.Time) {
	if s.running != nil || now.Sub(s.tried) < keysPause {
		return
	}
	s.tried, s.running = now, make(chan struct{})
	s.a.cfg.Spawn(s.fetch)
}

// fetch asks the endpoint.
func (s *keySet) fetch(ctx context.Context) {
	keys, failed := s.a.fetchKeys(ctx, s.url)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = failed; failed == "" {
		s.keys, s.fetched = keys, s.a.cfg.Now()
	}
	close(s.running)
	s.running = nil
}

func (a *Authenticator) fetchKeys(ctx context.Context, url string) ([]key, authentication.Reason) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, authentication.KeysFailed
	}
	req.Header.Set("Accept", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, authentication.KeysTimeout
	}
	defer func() { _ = resp.Body.Close() }() // nothing was written
	if resp.StatusCode != http.StatusOK {
		return nil, authentication.KeysFailed
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, authentication.KeysTimeout
	case len(doc) > maxKeySet:
		return nil, authentication.KeysTooLarge
	}
	keys, err := readKeys(doc)
	switch {
	case errors.Is(err, errManyKeys):
		return nil, authentication.KeysTooLarge
	case err != nil:
		return nil, authentication.KeysMalformed
	}
	return keys, ""
}
