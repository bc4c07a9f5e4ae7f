package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// secretPrefix begins a secret that is written in base64.
const secretPrefix = "whsec_"

// minSecret is how many bytes a secret has to have: what can be guessed signs
// nothing. Standard Webhooks asks for 24.
const minSecret = 16

// ParseSecret reads the secret that messages are signed with, as a file or an
// environment variable holds it. The error does not repeat it.
func ParseSecret(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	key := []byte(text)
	if rest, ok := strings.CutPrefix(text, secretPrefix); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(rest); err != nil {
			return nil, errors.New("what follows " + secretPrefix + " is not base64")
		}
	}
	if len(key) < minSecret {
		return nil, fmt.Errorf("the secret has %d bytes, and %d are the least", len(key), minSecret)
	}
	return key, nil
}

// sign returns the signature header of a message that is sent at a time.
func sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
