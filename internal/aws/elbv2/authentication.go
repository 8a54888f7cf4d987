package elbv2

import (
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// The bounds of jwt-validation (API reference: JwtValidationActionConfig).
const (
	maxEndpoint   = 256
	maxClaims     = 10 // of an action, and values of a claim
	maxClaimValue = 256
)

func readJWT(in *types.JwtValidationActionConfig) (*model.JWTValidation, error) {
	if in == nil {
		return nil, invalid("A JWT validation config must be specified")
	}
	out := &model.JWTValidation{JWKSEndpoint: aws.ToString(in.JwksEndpoint), Issuer: aws.ToString(in.Issuer)}
	if err := checkKeysEndpoint(out.JWKSEndpoint); err != nil {
		return nil, err
	}
	if out.Issuer == "" || len(out.Issuer) > maxEndpoint || !printable(out.Issuer) {
		return nil, invalid("JWT issuer '%s' must have 1 to %d characters", out.Issuer, maxEndpoint)
	}
	if len(in.AdditionalClaims) > maxClaims {
		return nil, invalid("The maximum number of additional claims is %d", maxClaims)
	}
	for _, c := range in.AdditionalClaims {
		claim := model.JWTClaim{Format: string(c.Format), Name: aws.ToString(c.Name), Values: c.Values}
		if err := checkClaim(claim, out.Claims); err != nil {
			return nil, err
		}
		out.Claims = append(out.Claims, claim)
	}
	return out, nil
}

// checkClaim returns what stands against one more claim.
func checkClaim(c model.JWTClaim, before []model.JWTClaim) error {
	formats := types.JwtValidationActionAdditionalClaimFormatEnum("").Values()
	switch {
	case !slices.Contains(formats, types.JwtValidationActionAdditionalClaimFormatEnum(c.Format)):
		return invalid("JWT claim format '%s' must be one of 'single-string,string-array,space-separated-values'", c.Format)
	case c.Name == "" || len(c.Name) > maxClaimValue || !printable(c.Name):
		return invalid("JWT claim name '%s' must have 1 to %d characters", c.Name, maxClaimValue)
	case slices.Contains([]string{"exp", "iss", "nbf", "iat"}, c.Name):
		return invalid("JWT claim '%s' is validated by default and cannot be specified", c.Name)
	case slices.ContainsFunc(before, func(b model.JWTClaim) bool { return b.Name == c.Name }):
		return invalid("JWT claim '%s' is specified more than once", c.Name)
	case len(c.Values) == 0 || len(c.Values) > maxClaims:
		return invalid("JWT claim '%s' must have 1 to %d values", c.Name, maxClaims)
	case c.Format == "single-string" && len(c.Values) != 1:
		return invalid("JWT claim '%s' of the format 'single-string' must have one value", c.Name)
	}
	for _, v := range c.Values {
		if v == "" || len(v) > maxClaimValue || c.Format == "space-separated-values" && strings.ContainsAny(v, " \t\r\n") {
			return invalid("JWT claim value '%s' is not valid in the format '%s'", v, c.Format)
		}
	}
	return nil
}

func showJWT(j *model.JWTValidation) *types.JwtValidationActionConfig {
	out := &types.JwtValidationActionConfig{JwksEndpoint: aws.String(j.JWKSEndpoint), Issuer: aws.String(j.Issuer)}
	for _, c := range j.Claims {
		out.AdditionalClaims = append(out.AdditionalClaims, types.JwtValidationActionAdditionalClaim{
			Format: types.JwtValidationActionAdditionalClaimFormatEnum(c.Format), Name: aws.String(c.Name), Values: c.Values,
		})
	}
	return out
}

// checkKeysEndpoint wants the whole URL of an endpoint over HTTPS.
func checkKeysEndpoint(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(text) > maxEndpoint || !printable(text) {
		return invalid("The JWKS endpoint '%s' must be a full URL, including the HTTPS protocol, the domain, and the path", text)
	}
	return nil
}
