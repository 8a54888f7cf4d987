package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// ring is a set of keys for tests.
type ring map[string]sigv4.Key

func (r ring) Key(id string) (sigv4.Key, bool) { k, ok := r[id]; return k, ok }

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func verifier(region string) *sigv4.Verifier {
	return sigv4.New(ring{
		"root": {Secret: "s3cret/+", Caller: wire.Caller{ARN: "arn:aws:iam::000000000000:root"}},
		"temp": {Secret: "other", Token: "tok", Expires: now.Add(time.Hour)},
		"old":  {Secret: "other", Token: "tok", Expires: now},
	}, sigv4.Config{Region: region, Now: func() time.Time { return now }})
}

// attempt is a request signed by the SDK, and then perhaps spoiled.
type attempt struct {
	method, url, body string
	key, secret, tok  string
	service, region   string
	at                time.Time
	presign           bool
	before            func(*http.Request) // before it is signed
	spoil             func(*http.Request) // after
}

// check signs the attempt with the SDK's signer, has it read by a server, and
// verifies it.
func (a attempt) check(t *testing.T, v *sigv4.Verifier) (wire.Caller, error) {
	t.Helper()
	if a.method == "" {
		a.method = "POST"
	}
	req, err := http.NewRequestWithContext(t.Context(), a.method, a.url, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.before != nil {
		a.before(req)
	}
	sum := sha256.Sum256([]byte(a.body))
	hash := hex.EncodeToString(sum[:])
	if h := req.Header.Get("X-Amz-Content-Sha256"); h != "" {
		hash = h
	}
	creds := aws.Credentials{AccessKeyID: a.key, SecretAccessKey: a.secret, SessionToken: a.tok}
	signer := v4.NewSigner()
	if a.presign {
		signed, _, err := signer.PresignHTTP(t.Context(), creds, req, hash, a.service, a.region, a.at)
		if err != nil {
			t.Fatal(err)
		}
		req, _ = http.NewRequestWithContext(t.Context(), a.method, signed, strings.NewReader(a.body))
	} else if err := signer.SignHTTP(t.Context(), creds, req, hash, a.service, a.region, a.at); err != nil {
		t.Fatal(err)
	}
	if a.spoil != nil {
		a.spoil(req)
	}
	got := asServer(t, req)
	body, _ := io.ReadAll(got.Body)
	return authenticate(v, got, body, "ecs")
}

// authenticate takes both steps, as the handler does.
func authenticate(v *sigv4.Verifier, r *http.Request, body []byte, service string) (wire.Caller, error) {
	verify, err := v.Authenticate(r, service)
	if err != nil {
		return wire.Caller{}, err
	}
	return verify(body)
}

// asServer gives req as a server reads it from the connection.
func asServer(t *testing.T, req *http.Request) *http.Request {
	t.Helper()
	var wireBytes bytes.Buffer
	if err := req.Write(&wireBytes); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wireBytes))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAuthenticateTakesWhatTheSDKSigns(t *testing.T) {
	const url = "http://127.0.0.1:4566"
	base := attempt{url: url + "/", body: `{"a":1}`, key: "root", secret: "s3cret/+", service: "ecs", region: "us-east-1", at: now}
	for name, change := range map[string]func(*attempt){
		"header":                func(*attempt) {},
		"no body":               func(a *attempt) { a.body, a.method = "", "GET" },
		"session token":         func(a *attempt) { a.key, a.secret, a.tok = "temp", "other", "tok" },
		"clock behind by 5 min": func(a *attempt) { a.at = now.Add(-5 * time.Minute) },
		"clock ahead by 5 min":  func(a *attempt) { a.at = now.Add(5 * time.Minute) },
		"query with odd text":   func(a *attempt) { a.url = url + "/?b=2&a=%20x+y&a=%2F&ä=~&empty" },
		"path with escapes":     func(a *attempt) { a.url = url + "/service/a%20b/operation/c%2Fd/" },
		"spaces in a header":    func(a *attempt) { a.before = func(r *http.Request) { r.Header.Set("X-Amz-Target", "  a   b ") } },
		"unsigned payload":      func(a *attempt) { a.before = unsigned; a.spoil = otherBody },
		"presigned":             func(a *attempt) { a.presign, a.url = true, url+"/?Action=X&X-Amz-Expires=60" },
		"presigned for 15 min":  func(a *attempt) { a.presign, a.at = true, now.Add(-15*time.Minute) },
		"presigned with token": func(a *attempt) {
			a.presign, a.url, a.key, a.secret, a.tok = true, url+"/?X-Amz-Expires=60", "temp", "other", "tok"
		},
		"presigned, nearly over":  func(a *attempt) { a.presign, a.url, a.at = true, url+"/?X-Amz-Expires=60", now.Add(-time.Minute) },
		"unsigned header changed": func(a *attempt) { a.spoil = func(r *http.Request) { r.Header.Set("User-Agent", "x") } },
	} {
		t.Run(name, func(t *testing.T) {
			a := base
			change(&a)
			caller, err := a.check(t, verifier("us-east-1"))
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if caller.AccessKey != a.key {
				t.Errorf("caller %+v, want key %s", caller, a.key)
			}
		})
	}
}

func unsigned(r *http.Request)  { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }
func otherBody(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"a":2}`)) }

const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

func TestAuthenticateRefuses(t *testing.T) {
	const url = "http://127.0.0.1:4566/"
	const badToken = "The security token included in the request is invalid."
	base := attempt{url: url, body: `{"a":1}`, key: "root", secret: "s3cret/+", service: "ecs", region: "us-east-1", at: now}
	for name, row := range map[string]struct {
		change    func(*attempt)
		code, msg string
	}{
		"no signature": {
			func(a *attempt) { a.spoil = func(r *http.Request) { r.Header.Del("Authorization") } },
			"MissingAuthenticationTokenException", "Request is missing Authentication Token",
		},
		"unknown key":          {func(a *attempt) { a.key = "nobody" }, "UnrecognizedClientException", badToken},
		"wrong secret":         {func(a *attempt) { a.secret = "guess" }, "InvalidSignatureException", mismatch},
		"token missing":        {func(a *attempt) { a.key, a.secret = "temp", "other" }, "UnrecognizedClientException", badToken},
		"token wrong":          {func(a *attempt) { a.key, a.secret, a.tok = "temp", "other", "no" }, "UnrecognizedClientException", badToken},
		"token for a root key": {func(a *attempt) { a.tok = "tok" }, "UnrecognizedClientException", badToken},
		"token expired": {
			func(a *attempt) { a.key, a.secret, a.tok = "old", "other", "tok" },
			"ExpiredTokenException", "The security token included in the request is expired",
		},
		"body changed":   {func(a *attempt) { a.spoil = otherBody }, "InvalidSignatureException", mismatch},
		"method changed": {func(a *attempt) { a.spoil = func(r *http.Request) { r.Method = "PUT" } }, "InvalidSignatureException", mismatch},
		"query changed":  {func(a *attempt) { a.spoil = func(r *http.Request) { r.URL.RawQuery = "x=1" } }, "InvalidSignatureException", mismatch},
		"path changed":   {func(a *attempt) { a.spoil = func(r *http.Request) { r.URL.Path = "/x" } }, "InvalidSignatureException", mismatch},
		"signed header changed": {func(a *attempt) {
			a.before = func(r *http.Request) { r.Header.Set("X-Amz-Target", "A.B") }
			a.spoil = func(r *http.Request) { r.Header.Set("X-Amz-Target", "A.C") }
		}, "InvalidSignatureException", mismatch},
		"too late": {
			func(a *attempt) { a.at = now.Add(-5*time.Minute - time.Second) }, "InvalidSignatureException",
			"Signature expired: 20260301T115459Z is now earlier than 20260301T115500Z (20260301T120000Z - 5 min.)",
		},
		"too early": {
			func(a *attempt) { a.at = now.Add(5*time.Minute + time.Second) }, "InvalidSignatureException",
			"Signature not yet current: 20260301T120501Z is still later than 20260301T120500Z (20260301T120000Z + 5 min.)",
		},
		"other service": {func(a *attempt) { a.service = "s3" }, "InvalidSignatureException", "Credential should be scoped to correct service: 'ecs'."},
		"other region": {
			func(a *attempt) { a.region = "eu-west-1" }, "InvalidSignatureException",
			"Credential should be scoped to a valid region, not 'eu-west-1'.",
		},
		"presigned URL over": {func(a *attempt) {
			a.presign, a.url, a.at = true, url+"?X-Amz-Expires=30", now.Add(-31*time.Second)
		}, "InvalidSignatureException", "Signature expired: 20260301T115929Z is now earlier than 20260301T115930Z (20260301T120000Z - 30 sec.)"},
		"presigned URL for too long": {
			func(a *attempt) { a.presign, a.url = true, url+"?X-Amz-Expires=604801" },
			"IncompleteSignatureException", "X-Amz-Expires must be a number from 0 to 604800.",
		},
		"presigned URL changed": {func(a *attempt) {
			a.presign, a.url = true, url+"?X-Amz-Expires=30&Action=A"
			a.spoil = func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Action=A", "Action=B", 1) }
		}, "InvalidSignatureException", mismatch},
		"other algorithm": {func(a *attempt) { a.spoil = setAuth("AWS3 x") }, "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'AWS3'."},
		"no signed headers": {
			func(a *attempt) { a.spoil = setAuth("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Signature=x") },
			"IncompleteSignatureException", "Authorization header requires 'SignedHeaders' parameter.",
		},
		"short scope": {
			func(a *attempt) {
				a.spoil = setAuth("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x")
			},
			"IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'",
		},
		"host not signed": {func(a *attempt) {
			a.spoil = setAuth("AWS4-HMAC-SHA256 Credential=root/20260301/us-east-1/ecs/aws4_request, SignedHeaders=x-amz-date, Signature=x")
		}, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		"operation added after signing": {
			func(a *attempt) {
				a.spoil = func(r *http.Request) {
					r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DeleteCluster")
				}
			},
			"InvalidSignatureException", "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.",
		},
		"session token added to a presigned URL": {
			func(a *attempt) {
				a.presign = true
				a.spoil = func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "tok") }
			},
			"InvalidSignatureException", "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := base
			row.change(&a)
			_, err := a.check(t, verifier("us-east-1"))
			e, ok := errors.AsType[*model.Error](err)
			if !ok || e.Code != row.code || e.Msg != row.msg || e.Kind != model.Denied {
				t.Errorf("got  %v\nwant %s: %s", err, row.code, row.msg)
			}
		})
	}
}

func setAuth(v string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", v) }
}

func TestAuthenticateTakesAnyRegionWhenNoneIsSet(t *testing.T) {
	a := attempt{url: "http://h/", key: "root", secret: "s3cret/+", service: "ecs", region: "eu-west-1", at: now}
	if _, err := a.check(t, verifier("")); err != nil {
		t.Errorf("refused: %v", err)
	}
}

// TestPublishedVectors takes the signatures that AWS published with its test
// suite and in the IAM guide's worked example.
func TestPublishedVectors(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		method, target, host, service, body, contentType, headers, signature string
	}{
		"get-vanilla":                      {"GET", "/", "example.amazonaws.com", "service", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"post-vanilla":                     {"POST", "/", "example.amazonaws.com", "service", "", "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"get-vanilla-query-order-key-case": {"GET", "/?Param2=value2&Param1=value1", "example.amazonaws.com", "service", "", "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"post-x-www-form-urlencoded":       {"POST", "/", "example.amazonaws.com", "service", "Param1=value1", "application/x-www-form-urlencoded", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		"IAM guide, ListUsers":             {"GET", "/?Action=ListUsers&Version=2010-05-08", "iam.amazonaws.com", "iam", "", "application/x-www-form-urlencoded; charset=utf-8", "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(context.Background(), row.method, row.target, strings.NewReader(row.body))
			r.Host = row.host
			r.Header.Set("X-Amz-Date", "20150830T123600Z")
			if row.contentType != "" {
				r.Header.Set("Content-Type", row.contentType)
			}
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"+row.service+
				"/aws4_request, SignedHeaders="+row.headers+", Signature="+row.signature)
			v := sigv4.New(ring{"AKIDEXAMPLE": {Secret: secret}}, sigv4.Config{Now: func() time.Time { return at }})
			if _, err := authenticate(v, r, []byte(row.body), row.service); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func FuzzAuthenticate(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=root/20260301/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=x", "20260301T120000Z", "a=b")
	f.Add("", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=root/20260301/us-east-1/ecs/aws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=5&X-Amz-SignedHeaders=host&X-Amz-Signature=x")
	v := verifier("us-east-1")
	f.Fuzz(func(t *testing.T, auth, date, query string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", auth)
		r.Header.Set("X-Amz-Date", date)
		if _, err := authenticate(v, r, nil, "ecs"); err == nil {
			t.Errorf("let in with %q %q %q", auth, date, query)
		}
	})
}
