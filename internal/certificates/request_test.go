package certificates

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

func request(names ...string) Request {
	return Request{Names: names, Algorithm: "EC_prime256v1", Validation: "DNS"}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestRequestIsIssuedAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	for _, algorithm := range []string{"RSA_2048", "EC_prime256v1", "EC_secp384r1"} {
		req := request("Shop.test", "*.shop.test", "shop.test")
		req.Algorithm = algorithm
		made, err := s.Request(t.Context(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := s.Certificate(made.ARN)
		if err != nil || pair.Leaf.VerifyHostname("www.shop.test") != nil || pair.Leaf.VerifyHostname("shop.test") != nil || KeyAlgorithm(pair.Leaf) != algorithm {
			t.Errorf("%s: got %v, %v", algorithm, pair, err)
		}
		if made.Status(s.at) != StatusIssued || len(made.Names()) != 2 || made.Status(s.at.AddDate(1, 0, 0)) != StatusExpired {
			t.Errorf("%s: %s for %v", algorithm, made.Status(s.at), made.Names())
		}
	}
	if s.public.orders > 0 {
		t.Error("ordered from the public issuer")
	}
}

func TestRequestWithTheSameToken(t *testing.T) {
	s := open(t, t.TempDir())
	req := request("shop.test")
	req.Token = "once"
	first, err := s.Request(t.Context(), req, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Request(t.Context(), req, nil); err != nil || again.ARN != first.ARN {
		t.Errorf("again: %s, %v; want %s", again.ARN, err, first.ARN)
	}
	other := req
	other.Names = []string{"shop.test", "www.shop.test"}
	if _, err := s.Request(t.Context(), other, nil); codeOf(err) != "InvalidParameterException" {
		t.Errorf("for other names: %v", err)
	}
	s.at = s.at.Add(2 * time.Hour)
	if later, err := s.Request(t.Context(), req, nil); err != nil || later.ARN == first.ARN {
		t.Errorf("two hours later: %s, %v", later.ARN, err)
	}
}

func TestBadRequests(t *testing.T) {
	s := open(t, t.TempDir())
	many := []string{"shop.test"}
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("host%d.test", i))
	}
	for name, names := range map[string][]string{
		"no name":                {""},
		"no dot":                 {"shop"},
		"an address":             {"192.0.2.1"},
		"NUL":                    {"shop\x00.test"},
		"a wildcard in between":  {"a.*.test"},
		"a wildcard alone":       {"*"},
		"an underscore":          {"a_b.test"},
		"a label too long":       {strings.Repeat("a", 64) + ".test"},
		"a main name too long":   {strings.Repeat("a", 60) + ".shop.test"},
		"not ASCII":              {"größe.test"},
		"the second is bad":      {"shop.test", "x y.test"},
		"10,000 names":           many,
		"a wildcard, in public":  {"*.public.test"},
		"wildcard beside, below": {"public.test", "*.a.public.test"},
	} {
		if _, err := s.Request(t.Context(), request(names...), nil); codeOf(err) != "ValidationException" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(s.List()); n > 0 {
		t.Errorf("%d were kept", n)
	}
}

func TestPublicRequestIsIssuedLater(t *testing.T) {
	s := open(t, t.TempDir())
	s.public.fail = errors.New("nobody answers at port 80")
	made, err := s.Request(t.Context(), request("shop.public.test"), nil)
	if err != nil || made.Status(s.at) != StatusPending {
		t.Fatalf("%s, %v", made.Status(s.at), err)
	}
	if _, err := s.Certificate(made.ARN); codeOf(err) != "RequestInProgressException" {
		t.Errorf("the certificate of a pending request: %v", err)
	}
	look := func(after time.Duration) Certificate {
		t.Helper()
		s.at = s.at.Add(after)
		s.issueDue(t.Context())
		r, ok := s.Get(made.ARN)
		if !ok {
			t.Fatal("the request is gone")
		}
		return r
	}
	if r := look(0); r.Order.Failures != 1 || r.Status(s.at) != StatusPending {
		t.Errorf("after a failure: %+v", r.Order)
	}
	if r := look(time.Second); r.Order.Failures != 1 {
		t.Errorf("tried again at once: %+v", r.Order)
	}
	s.public.fail = nil
	if r := look(2 * time.Minute); r.Status(s.at) != StatusIssued || len(s.changed) != 1 || s.local.orders > 0 {
		t.Errorf("after it was validated: %s, told of %v, %d orders of the local authority", r.Status(s.at), s.changed, s.local.orders)
	}
	if _, err := s.Certificate(made.ARN); err != nil {
		t.Error(err)
	}
}

func TestPublicRequestEnds(t *testing.T) {
	s := open(t, t.TempDir())
	s.public.fail = &RejectedError{"CAA_ERROR", errors.New("CAA forbids it")}
	rejected, err := s.Request(t.Context(), request("a.public.test"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.issueDue(t.Context())
	if r, _ := s.Get(rejected.ARN); r.Status(s.at) != StatusFailed || r.Order.Failure != "CAA_ERROR" {
		t.Errorf("rejected: %s, %+v", r.Status(s.at), r.Order)
	}
	s.public.fail = errors.New("no")
	late, err := s.Request(t.Context(), request("b.public.test"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.at = s.at.Add(73 * time.Hour)
	s.issueDue(t.Context())
	if r, _ := s.Get(late.ARN); r.Status(s.at) != StatusTimedOut {
		t.Errorf("never validated: %s", r.Status(s.at))
	}
	if s.public.orders != 1 {
		t.Errorf("%d orders, want 1", s.public.orders)
	}
}

// A certificate that is shown is renewed before it ends, with a new key, under the
// same ARN; one that is not runs out.
func TestRenewal(t *testing.T) {
	s := open(t, t.TempDir())
	used, err := s.Request(t.Context(), request("used.test"), nil)
	if err != nil {
		t.Fatal(err)
	}
	unused, err := s.Request(t.Context(), request("unused.test"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.used = used.ARN
	before, err := s.Certificate(used.ARN)
	if err != nil {
		t.Fatal(err)
	}
	s.issueDue(t.Context())
	if s.local.orders != 2 {
		t.Errorf("%d orders, want the two requests alone", s.local.orders)
	}
	s.at = s.at.AddDate(0, 0, 61)
	s.local.fail = errors.New("the disk is full")
	s.issueDue(t.Context())
	if r, _ := s.Get(used.ARN); r.Order.Renewal != RenewalFailed || r.Status(s.at) != StatusIssued {
		t.Errorf("a renewal that failed: %+v", r.Order)
	}
	s.local.fail = nil
	s.at = s.at.Add(time.Minute)
	s.issueDue(t.Context())
	after, err := s.Certificate(used.ARN)
	if err != nil || after.Leaf.Equal(before.Leaf) || after.Leaf.NotAfter.Before(s.at.AddDate(0, 0, 89)) {
		t.Errorf("not renewed: %v", err)
	}
	if r, _ := s.Get(used.ARN); r.Order.Renewal != RenewalSuccess || len(s.changed) != 1 || s.changed[0] != used.ARN {
		t.Errorf("renewed: %+v, told of %v", r.Order, s.changed)
	}
	s.at = s.at.AddDate(0, 0, 60)
	s.issueDue(t.Context())
	if r, _ := s.Get(unused.ARN); r.Status(s.at) != StatusExpired {
		t.Errorf("one that is not used: %s", r.Status(s.at))
	}
	if err := s.Renew(t.Context(), unused.ARN); err != nil {
		t.Fatal(err)
	}
	if r, _ := s.Get(unused.ARN); r.Status(s.at) != StatusIssued {
		t.Errorf("renewed by order: %s", r.Status(s.at))
	}
}

func TestCertificateInUseStays(t *testing.T) {
	s := open(t, t.TempDir())
	made, err := s.Request(t.Context(), request("shop.test"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.used = made.ARN
	if err := s.Delete(t.Context(), made.ARN); codeOf(err) != "ResourceInUseException" {
		t.Errorf("deleted while it is shown: %v", err)
	}
	s.used = ""
	if err := s.Delete(t.Context(), made.ARN); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), made.ARN); !IsNotFound(err) {
		t.Errorf("deleted twice: %v", err)
	}
}
