// Package authentication decides who is let in at a load balancer: whether a token's
// claims are what a jwt-validation action wants, and what comes next for a user of
// an authenticate-oidc action. Signatures, encryption and identity providers are
// its caller's.
package authentication

// Reason is why a request is not let in, as access logs name it
// (load-balancer-access-logs, "Error reason codes"); "" for none.
type Reason string

// What can be wrong with logging in.
const (
	InvalidCookie    Reason = "AuthInvalidCookie"
	InvalidGrant     Reason = "AuthInvalidGrantError"
	InvalidIDToken   Reason = "AuthInvalidIdToken"
	InvalidNonce     Reason = "AuthInvalidAWSALBAuthNonce"
	InvalidState     Reason = "AuthInvalidStateParam"
	InvalidTokens    Reason = "AuthInvalidTokenResponse"
	InvalidUserInfo  Reason = "AuthInvalidUserinfoResponse"
	MissingNonce     Reason = "AuthMissingAWSALBAuthNonce"
	MissingCode      Reason = "AuthMissingCodeParam"
	MissingHost      Reason = "AuthMissingHostHeader"
	MissingState     Reason = "AuthMissingStateParam"
	TokensFailed     Reason = "AuthTokenEpRequestFailed"
	TokensTimeout    Reason = "AuthTokenEpRequestTimeout"
	UserInfoFailed   Reason = "AuthUserinfoEpRequestFailed"
	UserInfoTimeout  Reason = "AuthUserinfoEpRequestTimeout"
	UserInfoTooLarge Reason = "AuthUserinfoResponseSizeExceeded"
	Unhandled        Reason = "AuthUnhandledException"
	ClaimAbsent      Reason = "JWTClaimNotPresent"
	ClaimMalformed   Reason = "JWTClaimFormatInvalid"
	ClaimWrong       Reason = "JWTClaimValueInvalid"
	TokenAbsent      Reason = "JWTHeaderNotPresent"
	TokenMalformed   Reason = "JWTRequestFormatInvalid"
	SignatureWrong   Reason = "JWTSignatureValidationError"
	KeysFailed       Reason = "JWKSRequestFailed"
	KeysTimeout      Reason = "JWKSRequestTimeout"
	KeysTooLarge     Reason = "JWKSResponseSizeExceeded"
	KeysMalformed    Reason = "JWKSResponseFormatInvalid"
	NotLoggedIn      Reason = "AuthNotLoggedIn"   // ours: AWS logs none
	ProviderRefused  Reason = "AuthProviderError" // likewise
)

// Status is what a request gets that is not let in: what concerns an endpoint that
// cannot be asked is 500, what a provider answered badly 561, and all else 401
// (load-balancer-troubleshooting).
func (r Reason) Status() int {
	switch r {
	case TokensTimeout, UserInfoTimeout, UserInfoTooLarge, Unhandled, KeysFailed, KeysTimeout, KeysTooLarge, KeysMalformed:
		return 500
	case InvalidGrant, InvalidIDToken, InvalidTokens, InvalidUserInfo, TokensFailed, UserInfoFailed, ProviderRefused:
		return 561
	}
	return 401
}

// Erred reports whether a login failed by an error, as ELBAuthError counts them, and
// not by what the client brought (ELBAuthFailure).
func (r Reason) Erred() bool {
	switch r {
	case MissingHost, TokensFailed, TokensTimeout, UserInfoFailed, UserInfoTimeout, Unhandled:
		return true
	}
	return false
}
