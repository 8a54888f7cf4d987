package authenticate

import (
	"context"
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/authentication"
	"neargate/internal/model"
)

// JWT is a jwt-validation action in force.
type JWT struct {
	want model.JWTValidation
	keys *keySet
}

// JWT puts a jwt-validation action in force.
func (a *Authenticator) JWT(want model.JWTValidation) *JWT {
	return &JWT{want, a.keySet(want.JWKSEndpoint)}
}

// Check judges the token of a request. The keys are waited for where none has come
// yet, or the token names one that is not among them: its issuer may have changed
// them.
func (j *JWT) Check(r *exchange.Request) Result {
	text, reason := bearer(r)
	if reason != "" {
		return refused(reason)
	}
	t, ok := parseToken(text)
	if !ok {
		return refused(authentication.TokenMalformed)
	}
	keys, _ := j.keys.current()
	if t.signedBy(keys) {
		return j.claims(&t)
	}
	if keys != nil && (t.keyID == "" || known(keys, t.keyID)) {
		return refused(authentication.SignatureWrong)
	}
	if running := j.keys.renew(); running != nil {
		return Result{Ask: func(ctx context.Context) Result { return j.wait(ctx, running, &t) }}
	}
	return j.judge(&t)
}

// wait judges a token when the keys have come. A fetch that is not run since the
// server ends is not waited for longer than it could take.
func (j *JWT) wait(ctx context.Context, running <-chan struct{}, t *token) Result {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	select {
	case <-running:
	case <-ctx.Done():
	}
	return j.judge(t)
}

// judge judges a token by the keys that there are.
func (j *JWT) judge(t *token) Result {
	keys, failed := j.keys.current()
	switch {
	case t.signedBy(keys):
		return j.claims(t)
	case keys != nil:
		return refused(authentication.SignatureWrong)
	case failed == "":
		return refused(authentication.KeysTimeout)
	}
	return refused(failed)
}

func (j *JWT) claims(t *token) Result {
	claims, ok := t.claims()
	if !ok {
		return refused(authentication.TokenMalformed)
	}
	if reason := authentication.Check(claims, &j.want, j.keys.a.cfg.Now()); reason != "" {
		return refused(reason)
	}
	return Result{}
}

func known(keys []key, id string) bool {
	for i := range keys {
		if keys[i].id == id {
			return true
		}
	}
	return false
}

// bearer returns the token of a request (RFC 6750 2.1). Of several Authorization
// headers a target could take another one than we.
func bearer(r *exchange.Request) (string, authentication.Reason) {
	const scheme = "Bearer "
	found, value := 0, ""
	r.Headers(func(n, v string) bool {
		if strings.EqualFold(n, "Authorization") {
			found++
			value = v
		}
		return true
	})
	switch {
	case found == 0:
		return "", authentication.TokenAbsent
	case found > 1 || len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme):
		return "", authentication.TokenMalformed
	}
	return strings.Trim(value[len(scheme):], " "), ""
}
