// Package authentication decides who is let in at a load balancer: whether a token's
// claims are what a jwt-validation action wants. Signatures and keys are its
// caller's.
package authentication

// Reason is why a request is not let in, as access logs name it
// (load-balancer-access-logs, "Error reason codes"); "" for none.
type Reason string

// What can be wrong with a token, and with the keys that it is verified by.
const (
	ClaimAbsent    Reason = "JWTClaimNotPresent"
	ClaimMalformed Reason = "JWTClaimFormatInvalid"
	ClaimWrong     Reason = "JWTClaimValueInvalid"
	TokenAbsent    Reason = "JWTHeaderNotPresent"
	TokenMalformed Reason = "JWTRequestFormatInvalid"
	SignatureWrong Reason = "JWTSignatureValidationError"
	KeysFailed     Reason = "JWKSRequestFailed"
	KeysTimeout    Reason = "JWKSRequestTimeout"
	KeysTooLarge   Reason = "JWKSResponseSizeExceeded"
	KeysMalformed  Reason = "JWKSResponseFormatInvalid"
)

// Status is what a request gets that is not let in: 500 where there are no keys to
// verify its token by, else 401 (load-balancer-troubleshooting).
func (r Reason) Status() int {
	switch r {
	case KeysFailed, KeysTimeout, KeysTooLarge, KeysMalformed:
		return 500
	default:
		return 401
	}
}
