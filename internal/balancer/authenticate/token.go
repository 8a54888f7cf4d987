package authenticate

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"

	"neargate/internal/decide/authentication"
)

// maxToken is the longest token that is looked at. AWS takes no header line that is
// longer.
const maxToken = 16 << 10

// token is a signed JSON Web Token in the compact form.
type token struct {
	keyID     string
	signed    string // what the signature is of
	payload   string
	signature []byte
}

// parseToken reads a token's head. Only RS256 is taken, whatever else its key would
// do, and nothing that must be understood beside (RFC 7515 4.1.11).
func parseToken(text string) (t token, ok bool) {
	if len(text) > maxToken {
		return t, false
	}
	i, j := strings.IndexByte(text, '.'), strings.LastIndexByte(text, '.')
	if i < 0 || i == j || strings.IndexByte(text[i+1:j], '.') >= 0 {
		return t, false
	}
	var head struct {
		Algorithm string          `json:"alg"`
		KeyID     string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	if !decodePart(text[:i], &head) || head.Algorithm != "RS256" || head.Critical != nil {
		return t, false
	}
	signature, err := decode(text[j+1:])
	if err != nil {
		return t, false
	}
	return token{keyID: head.KeyID, signed: text[:j], payload: text[i+1 : j], signature: signature}, true
}

// decode decodes a part of a token; strictly, so that no two texts are one token.
func decode(part string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(part) }

func decodePart(text string, v any) bool {
	raw, err := decode(text)
	return err == nil && json.Unmarshal(raw, v) == nil
}

// signedBy reports whether one of the keys has signed the token: of those with its
// key's id where it names one.
func (t *token) signedBy(keys []key) bool {
	sum := sha256.Sum256([]byte(t.signed))
	for i := range keys {
		if k := &keys[i]; (t.keyID == "" || k.id == t.keyID) && rsa.VerifyPKCS1v15(k.public, crypto.SHA256, sum[:], t.signature) == nil {
			return true
		}
	}
	return false
}

// claims returns what the token says.
func (t *token) claims() (c authentication.Claims, ok bool) {
	ok = decodePart(t.payload, &c) && c != nil
	return c, ok
}

// key is a public key of an issuer.
type key struct {
	id     string
	public *rsa.PublicKey
}

// The limits of a set of keys (listener-verify-jwt, "JWT validation limits").
const (
	maxKeySet = 150 << 10
	maxKeys   = 10
)

var (
	errManyKeys = errors.New("more than 10 keys")
	errNoKeys   = errors.New("not a set of keys")
)

// readKeys reads a JSON Web Key Set (RFC 7517). Keys that are not for RS256 are
// passed over.
func readKeys(doc []byte) ([]key, error) {
	var set struct {
		Keys []struct {
			Type      string `json:"kty"`
			Use       string `json:"use"`
			Algorithm string `json:"alg"`
			ID        string `json:"kid"`
			N         string `json:"n"`
			E         string `json:"e"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(doc, &set); err != nil || set.Keys == nil {
		return nil, errNoKeys
	}
	if len(set.Keys) > maxKeys {
		return nil, errManyKeys
	}
	keys := []key{}
	for _, k := range set.Keys {
		if k.Type != "RSA" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
			continue
		}
		if public := readRSA(k.N, k.E); public != nil {
			keys = append(keys, key{k.ID, public})
		}
	}
	return keys, nil
}

// The sizes of keys that are taken: RS256 wants 2048 bits at least (RFC 7518 3.3),
// and one must not keep us busy.
const (
	minBits = 2048
	maxBits = 8192
)

// readRSA reads a public key; nil for none that is taken.
func readRSA(n, e string) *rsa.PublicKey {
	modulus, err1 := base64.RawURLEncoding.DecodeString(strings.TrimRight(n, "="))
	exponent, err2 := base64.RawURLEncoding.DecodeString(strings.TrimRight(e, "="))
	if err1 != nil || err2 != nil || len(exponent) == 0 || len(exponent) > 4 {
		return nil
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}
	if bits := public.N.BitLen(); bits < minBits || bits > maxBits || public.E < 3 || public.E%2 == 0 || public.E > 1<<31-1 {
		return nil
	}
	return public
}
