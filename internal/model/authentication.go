package model

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
