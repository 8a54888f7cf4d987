package provision

import (
	"context"
	"encoding/json"

	"neargate/internal/model"
)

// Credential returns what opens the registry of a container's image, which a
// secret holds as {"username": …, "password": …}; nil where the definition names
// none. ResourceInitializationError.
func (p *Provisioner) Credential(ctx context.Context, c model.ContainerDefinition) (*model.Credential, error) {
	return lookup{p: p, seen: map[string]string{}}.credential(ctx, c.RegistrySecret)
}

func (l lookup) credential(ctx context.Context, secret string) (*model.Credential, error) {
	if secret == "" {
		return nil, nil
	}
	text, err := l.text(ctx, reference{secret: secret})
	if err != nil {
		return nil, err
	}
	var cred model.Credential
	if json.Unmarshal([]byte(text), &cred) != nil || cred.Username == "" {
		return nil, notPulled("unable to retrieve secret from asm: service call has been retried 1 time(s): " +
			"unable to unmarshal secret value: registry credentials in " + secret + " want the members username and password")
	}
	return &cred, nil
}
