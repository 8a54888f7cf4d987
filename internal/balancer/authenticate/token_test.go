package authenticate

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issuer has a key.
type issuer struct{ key *rsa.PrivateKey }

func newIssuer(t testing.TB, bits int) issuer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{k}
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign returns a token with a head and claims in JSON.
func (i issuer) sign(t testing.TB, head, claims string) string {
	t.Helper()
	text := enc([]byte(head)) + "." + enc([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + enc(signature)
}

// jwk is the public key in a set.
func (i issuer) jwk(id, more string) string {
	return fmt.Sprintf(`{"kty":"RSA","kid":%q,"n":%q,"e":"AQAB"%s}`, id, enc(i.key.N.Bytes()), more)
}

func TestTokens(t *testing.T) {
	good, other := newIssuer(t, 2048), newIssuer(t, 2048)
	keys, err := readKeys([]byte(`{"keys":[` + good.jwk("k1", `,"use":"sig","alg":"RS256"`) + `,` + other.jwk("k2", "") + `]}`))
	if err != nil || len(keys) != 2 {
		t.Fatalf("got %d keys, %v", len(keys), err)
	}
	public, err := json.Marshal(good.jwk("k1", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := func(head string, secret []byte) string {
		text := enc([]byte(head)) + "." + enc([]byte(`{}`))
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(text))
		return text + "." + enc(h.Sum(nil))
	}
	valid := good.sign(t, `{"alg":"RS256","kid":"k1"}`, `{"sub":"ann"}`)
	for name, tc := range map[string]struct {
		token string
		ok    bool
	}{
		"good":                        {valid, true},
		"of no named key":             {good.sign(t, `{"alg":"RS256"}`, `{}`), true},
		"of the key of another":       {other.sign(t, `{"alg":"RS256","kid":"k1"}`, `{}`), false},
		"without an algorithm":        {good.sign(t, `{"kid":"k1"}`, `{}`), false},
		"none":                        {enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(`{}`)) + ".", false},
		"none in another case":        {enc([]byte(`{"alg":"nOnE","kid":"k1"}`)) + "." + enc([]byte(`{}`)) + ".", false},
		"no signature":                {valid[:strings.LastIndexByte(valid, '.')+1], false},
		"the public key as a secret":  {mac(`{"alg":"HS256","kid":"k1"}`, public), false},
		"the modulus as a secret":     {mac(`{"alg":"HS256","kid":"k1"}`, good.key.N.Bytes()), false},
		"a secret that says RS256":    {mac(`{"alg":"RS256","kid":"k1"}`, good.key.N.Bytes()), false},
		"the name of a file":          {good.sign(t, `{"alg":"RS256","kid":"../../dev/null"}`, `{}`), false},
		"its own key":                 {newIssuer(t, 2048).sign(t, `{"alg":"RS256","kid":"k9","jwk":`+good.jwk("k9", "")+`,"jku":"https://evil.test"}`, `{}`), false},
		"something that it must know": {good.sign(t, `{"alg":"RS256","kid":"k1","crit":["b64"],"b64":false}`, `{}`), false},
		"changed claims":              {valid[:strings.IndexByte(valid, '.')+1] + enc([]byte(`{"sub":"bob"}`)) + valid[strings.LastIndexByte(valid, '.'):], false},
		"two parts":                   {valid[:strings.LastIndexByte(valid, '.')], false},
		"four parts":                  {valid + ".x", false},
		"padded":                      {valid + "==", false},
		"huge":                        {good.sign(t, `{"alg":"RS256","kid":"k1"}`, `{"a":"`+strings.Repeat("a", maxToken)+`"}`), false},
		"empty":                       {"", false},
		"dots":                        {"..", false},
	} {
		t.Run(name, func(t *testing.T) {
			token, ok := parseToken(tc.token)
			if ok = ok && token.signedBy(keys); ok != tc.ok {
				t.Errorf("let in: %v, want %v", ok, tc.ok)
			}
		})
	}
}

func TestKeySets(t *testing.T) {
	big, small := newIssuer(t, 2048), newIssuer(t, 1024)
	k := big.jwk("a", "")
	for name, tc := range map[string]struct {
		doc  string
		keys int
		err  error
	}{
		"one":                  {`{"keys":[` + k + `]}`, 1, nil},
		"ten":                  {`{"keys":[` + strings.Repeat(k+",", 9) + k + `]}`, 10, nil},
		"eleven":               {`{"keys":[` + strings.Repeat(k+",", 10) + k + `]}`, 0, errManyKeys},
		"none":                 {`{"keys":[]}`, 0, nil},
		"no set":               {`{}`, 0, errNoKeys},
		"no JSON":              {`<html>`, 0, errNoKeys},
		"too short":            {`{"keys":[` + small.jwk("a", "") + `]}`, 0, nil},
		"for encryption":       {`{"keys":[` + big.jwk("a", `,"use":"enc"`) + `]}`, 0, nil},
		"of another kind":      {`{"keys":[{"kty":"oct","kid":"a","k":"AAAA"},{"kty":"EC","kid":"b"}]}`, 0, nil},
		"of another exponent":  {`{"keys":[` + strings.Replace(k, "AQAB", "AQ", 1) + `]}`, 0, nil},
		"of another algorithm": {`{"keys":[` + big.jwk("a", `,"alg":"PS256"`) + `]}`, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := readKeys([]byte(tc.doc))
			if len(keys) != tc.keys || err != tc.err { //nolint:errorlint // not wrapped
				t.Errorf("got %d keys and %v, want %d and %v", len(keys), err, tc.keys, tc.err)
			}
		})
	}
}

func FuzzToken(f *testing.F) {
	i := newIssuer(f, 2048)
	f.Add(i.sign(f, `{"alg":"RS256","kid":"k1"}`, `{"sub":"ann"}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if token, ok := parseToken(text); ok {
			if token.signedBy(nil) {
				t.Error("signed by nobody")
			}
			_, _ = token.claims()
		}
	})
}
