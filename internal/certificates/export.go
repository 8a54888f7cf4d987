package certificates

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
)

// ExportKey returns a certificate's private key in PEM, encrypted with a
// passphrase. Codes: ResourceNotFoundException.
func (c *Certificates) ExportKey(arn string, passphrase []byte) ([]byte, error) {
	r, ok := c.table.Get(arn)
	if !ok {
		return nil, NotFound(arn)
	}
	plain, ok := c.cfg.Key.Open(r.Sealed, arn)
	if !ok {
		return nil, errSealed(arn)
	}
	block, _ := pem.Decode(plain)
	if block == nil {
		return nil, fmt.Errorf("read the private key of %s: no PEM", arn)
	}
	der, err := encrypt(block.Bytes, passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypt the private key of %s: %w", arn, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), nil
}

// rounds is how often the passphrase is hashed.
const rounds = 600_000

// encrypt returns a key's EncryptedPrivateKeyInfo (RFC 5958, section 3) by PBES2
// with PBKDF2, HMAC-SHA256 and AES-256-CBC (RFC 8018, section 6.2), which OpenSSL
// writes and everybody reads.
func encrypt(plain, passphrase []byte) ([]byte, error) {
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	_, _ = rand.Read(salt) // never fails: crypto/rand.Read
	_, _ = rand.Read(iv)
	key, err := pbkdf2.Key(sha256.New, string(passphrase), salt, rounds, 32)
	if err != nil {
		return nil, err
	}
	cipherBlock, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append([]byte{}, plain...)
	for range pad {
		padded = append(padded, byte(pad))
	}
	cipher.NewCBCEncrypter(cipherBlock, iv).CryptBlocks(padded, padded)

	var errs []error
	der := func(v any) asn1.RawValue {
		b, err := asn1.Marshal(v)
		errs = append(errs, err)
		return asn1.RawValue{FullBytes: b}
	}
	hmac := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue}
	derivation := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, Parameters: der(struct {
		Salt   []byte
		Rounds int
		HMAC   pkix.AlgorithmIdentifier
	}{salt, rounds, hmac})}
	aes256 := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, Parameters: der(iv)}
	scheme := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, Parameters: der(struct {
		Derivation, Cipher pkix.AlgorithmIdentifier
	}{derivation, aes256})}
	out := der(struct {
		Scheme pkix.AlgorithmIdentifier
		Data   []byte
	}{scheme, padded})
	return out.FullBytes, errors.Join(errs...)
}
