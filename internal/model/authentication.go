package model

import "time"

// OIDC is an authenticate-oidc action: users log in at an OpenID provider.
type OIDC struct {
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserInfoEndpoint      string
	ClientID              string
	// ClientSecret is of a new action only: kept is what Sealed holds.
	ClientSecret string `json:"-"`
	// KeepSecret has the secret of the action before taken over.
	KeepSecret      bool   `json:"-"`
	Sealed          []byte // the client secret, encrypted
	CookieName      string
	Scope           string
	SessionTimeout  time.Duration
	ExtraParams     map[string]string
	Unauthenticated string // what becomes of who is not logged in: deny, allow or authenticate
}

// What becomes of a request of somebody who is not logged in.
const (
	DenyUnauthenticated         = "deny"
	AllowUnauthenticated        = "allow"
	AuthenticateUnauthenticated = "authenticate"
)

// JWTValidation is a jwt-validation action: requests bring a token of an issuer.
type JWTValidation struct {
	JWKSEndpoint string
	Issuer       string
	Claims       []JWTClaim `json:",omitempty"` // to have beside iss and exp
}

// JWTClaim is what a claim of a token must be.
type JWTClaim struct {
	Format string // single-string, string-array or space-separated-values
	Name   string
	Values []string
}
