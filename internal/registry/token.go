package registry

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
)

// tokenLife is how long a token is valid: API_GetAuthorizationToken, "12 hours".
const tokenLife = 12 * time.Hour

// tokenHead is the size of a token's expiry time and nonce.
const tokenHead = 16

// tokenUser is the one user name that ECR knows.
const tokenUser = "AWS"

var (
	errNoToken = ociregistry.NewError("Not Authorized", ociregistry.ErrUnauthorized.Code(), nil)
	// errExpired has the wording of ECR's registry.
	errExpired = ociregistry.NewError("Your authorization token has expired. Reauthenticate and try again.", ociregistry.ErrDenied.Code(), nil)
)

// Token makes a password for the user AWS, for who signs with accessKey, and
// returns until when it is valid. A token is its expiry time, a nonce, the
// access key and an HMAC over them, so it outlives the process and nothing has
// to be kept.
func (r *Registry) Token(accessKey string) (password string, expires time.Time) {
	expires = r.now().Add(tokenLife).Truncate(time.Second)
	body := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	nonce := make([]byte, 8)
	_, _ = rand.Read(nonce) // never fails
	body = append(append(body, nonce...), accessKey...)
	return base64.RawURLEncoding.EncodeToString(r.sign(body)), expires
}

func (r *Registry) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, r.secret)
	mac.Write(body)
	return mac.Sum(body)
}

func (r *Registry) checkToken(password string) error {
	raw, err := base64.RawURLEncoding.DecodeString(password)
	if err != nil || len(raw) < tokenHead+sha256.Size {
		return errNoToken
	}
	end := len(raw) - sha256.Size
	if !hmac.Equal(raw, r.sign(raw[:end:end])) || !r.cfg.Lives(string(raw[tokenHead:end])) {
		return errNoToken
	}
	if !r.now().Before(time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)) {
		return errExpired
	}
	return nil
}

// authorize lets a request pass that carries a valid token, and challenges any
// other.
func (r *Registry) authorize(w http.ResponseWriter, req *http.Request) bool {
	user, password, ok := req.BasicAuth()
	err := error(errNoToken)
	if ok && user == tokenUser {
		err = r.checkToken(password)
	}
	if err == nil {
		return true
	}
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	scheme := "http://"
	if r.cfg.TLS {
		scheme = "https://"
	}
	w.Header().Set("Www-Authenticate", `Basic realm="`+scheme+r.cfg.Endpoint+`/",service="ecr.amazonaws.com"`)
	oci, _ := errors.AsType[ociregistry.Error](err)
	writeError(w, http.StatusUnauthorized, oci)
	return false
}
