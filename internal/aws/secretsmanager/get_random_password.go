package secretsmanager

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/random"
)

// getRandomPassword: codes InvalidParameterException, InvalidRequestException.
func (s *service) getRandomPassword(_ context.Context, in *sdk.GetRandomPasswordInput) (*sdk.GetRandomPasswordOutput, error) {
	length := int64(32)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	if length < 1 || length > 4096 {
		return nil, invalid("PasswordLength must be between 1 and 4096.")
	}
	var kinds []string
	for _, kind := range []struct {
		off        bool
		characters string
	}{
		{aws.ToBool(in.ExcludeLowercase), "abcdefghijklmnopqrstuvwxyz"},
		{aws.ToBool(in.ExcludeUppercase), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{aws.ToBool(in.ExcludeNumbers), "0123456789"},
		{aws.ToBool(in.ExcludePunctuation), "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
		{!aws.ToBool(in.IncludeSpace), " "},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, kind.characters)
		if !kind.off && left != "" {
			kinds = append(kinds, left)
		}
	}
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	switch {
	case len(kinds) == 0:
		return nil, invalid("No characters are left to make a password of.")
	case each && int(length) < len(kinds):
		return nil, invalid("PasswordLength %d is too short for a character of each of %d types.", length, len(kinds))
	}
	return &sdk.GetRandomPasswordOutput{RandomPassword: aws.String(password(kinds, int(length), each))}, nil
}

// password draws until each kind is there, if each is to be: what is drawn so
// is as random as it can be. The rarest is five characters of five kinds, some
// hundred tries.
func password(kinds []string, length int, each bool) string {
	for {
		p := random.Of(strings.Join(kinds, ""), length)
		missing := false
		for _, kind := range kinds {
			missing = missing || !strings.ContainsAny(p, kind)
		}
		if !each || !missing {
			return p
		}
	}
}
