package scheduler

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
)

// newTaskID makes 32 hex digits.
func newTaskID() string { return hex.EncodeToString(randomBytes(16)) }

// newUUID makes a version 4 UUID.
func newUUID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newDeploymentNumber makes the 19 digits of a deployment's ID.
func newDeploymentNumber() string {
	const low = 1_000_000_000_000_000_000
	n := new(big.Int).SetBytes(randomBytes(8))
	n.Mod(n, big.NewInt(8*low))
	return n.Add(n, big.NewInt(low)).String()
}

// newServiceDeploymentID makes the 21 characters at the end of a service
// deployment's ARN.
func newServiceDeploymentID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	b := randomBytes(21)
	for i := range b {
		b[i] = letters[b[i]%64]
	}
	return string(b)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand.Read
	return b
}
